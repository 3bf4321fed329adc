"""Requesters, organisations, plans and assets in the API."""
