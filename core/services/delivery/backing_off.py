"""How long a message waits that could not be sent."""

from __future__ import annotations

from datetime import timedelta

from core.domain.backoff import Backoff

_BACKOFF = Backoff(first_seconds=2.0, longest_seconds=600.0)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after `attempts` failed ones."""
    return timedelta(seconds=_BACKOFF.pause_seconds(attempts))
