"""Teams, their agents, and how tickets find both."""
