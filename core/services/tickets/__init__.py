"""What agents and the desk do with tickets: open, answer, change, hand over, set aside."""
