"""Finds articles, and reads what belongs to them."""
