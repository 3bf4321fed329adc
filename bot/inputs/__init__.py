"""How turns come in from the desk and go back to it."""
