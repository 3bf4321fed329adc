"""Accounts without a platform: what programs report, and what agents write down for somebody."""
