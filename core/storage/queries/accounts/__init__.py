"""Reads accounts on platforms, what was not understood there, and what a rehearsal left."""
