"""Who may come in, and with what: passwords, sessions, links and tokens."""
