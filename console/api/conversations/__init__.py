"""Conversations, messages and splits in the API."""
