"""Pages of tickets: the queue, one ticket, a new one."""
