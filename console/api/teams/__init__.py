"""Teams, and what goes to which, in the API."""
