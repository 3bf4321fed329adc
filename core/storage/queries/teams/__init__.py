"""Reads teams, what they are given, and who is there."""
