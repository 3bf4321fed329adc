"""Links between tickets, and merges, in the API."""
