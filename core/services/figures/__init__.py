"""Figures: what each ticket came to, counted by day."""
