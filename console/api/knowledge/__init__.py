"""The knowledge base in the API."""
