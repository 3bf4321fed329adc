"""Pages of rules, macros and webhooks."""
