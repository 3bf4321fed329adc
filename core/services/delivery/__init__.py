"""Sending: the outbox of each conversation, and what holds it up."""
