"""Reads tickets: one, those of a queue, those that are asked for."""
