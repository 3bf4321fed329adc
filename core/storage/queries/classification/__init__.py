"""Reads what tickets are sorted by, and which are alike."""
