"""Pages of the knowledge base, the agents' and the public's."""
