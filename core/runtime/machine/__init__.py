"""What the desk asks of the machine: ports, locks, processes, its home folder."""
