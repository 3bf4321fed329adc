"""What requesters are promised: policies, and the clocks that hold the desk to them."""
