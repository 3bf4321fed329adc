"""Finds tickets, conversations and people by words."""
