"""Pages of what tickets are sorted by."""
