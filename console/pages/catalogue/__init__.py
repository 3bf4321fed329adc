"""Pages of the request catalogue, of requests, and of those who approve."""
