"""Slack: people write to the desk in direct messages, by mentioning it and by a command."""
