"""Reads what can be asked for, and what was."""
