"""The request catalogue: what can be asked for, and what becomes of it."""
