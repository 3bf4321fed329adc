"""The embedded PostgreSQL: whose it is, how it is started, taken over and stopped."""
