"""Asking requesters how they were helped, and keeping what they say."""
