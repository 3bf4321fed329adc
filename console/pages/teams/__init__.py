"""Pages of teams, and of what goes to which."""
