"""Pages of how the assistant does and what it is taught."""
