"""How long a message waits that could not be sent, the longer the more often."""

from __future__ import annotations

import random
from datetime import timedelta

_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 600.0


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after `attempts` failed ones: doubling, with jitter."""
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** max(attempts - 1, 0), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311
