"""Rules, macros and webhooks: what the desk does as admins told it."""
