"""How the assistant does and what it is taught, in the API."""
