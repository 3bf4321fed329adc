"""How tickets hang together: links, and problems with their incidents."""
