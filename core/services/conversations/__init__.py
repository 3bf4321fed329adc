"""What agents do to a conversation as a whole: part it, rejoin it, hold another beside it."""
