"""Counts what reports show."""
