"""Tickets in the API: listed, single, many at once."""
