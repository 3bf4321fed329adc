"""Who is who: addresses, the contacts that write from them, and what platforms tell of both."""
