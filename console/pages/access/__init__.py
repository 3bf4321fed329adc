"""Pages of coming in, of agents, and of how each wants to work."""
