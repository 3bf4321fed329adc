"""Telling agents what concerns them."""
