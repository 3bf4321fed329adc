"""Reads requesters, organisations, their plans and assets."""
