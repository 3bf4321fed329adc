"""The search over tickets, conversations and people."""
