"""Taking in: how what channels received is stored, in order and once, and what follows from it."""
