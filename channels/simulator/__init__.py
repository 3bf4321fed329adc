"""Fake platforms that speak the real wire formats on loopback, for rehearsals and tests."""
