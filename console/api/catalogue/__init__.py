"""The request catalogue and requests in the API."""
