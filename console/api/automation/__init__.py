"""Rules, macros and webhooks in the API."""
