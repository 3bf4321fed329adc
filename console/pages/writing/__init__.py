"""What agents write in a ticket, from its draft until it has left."""
