"""Pages of requesters, organisations, plans and assets."""
