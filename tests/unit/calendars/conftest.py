"""How many cases properties are tried with: few, or 20,000 each in `make business-time`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "many",
    max_examples=20_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
