"""Promises to requesters: what an admin sets, and what the desk does about it by the clock."""
