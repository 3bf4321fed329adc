"""Rules and macros: what they look at, and what they do."""
