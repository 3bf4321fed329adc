"""What tickets are sorted by, in the API."""
