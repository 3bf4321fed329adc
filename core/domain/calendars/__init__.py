"""Business hours: when a desk is open, and how much of its time lies between two moments."""
