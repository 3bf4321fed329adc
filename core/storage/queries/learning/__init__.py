"""Reads how the assistant does, and what people taught it."""
