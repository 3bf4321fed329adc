"""What the console calls things: English, the keys of the catalogue."""
