"""Pages of links between tickets, and of merges."""
