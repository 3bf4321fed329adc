"""How long the channel waits, and for what."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waiting times in seconds."""

    poll: int = 50  # for news, in one call
    first_pause: float = 1.0  # after a failure; doubles with each one that follows
    longest_pause: float = 60.0
    probe: float = 60.0  # between attempts with credentials that were refused
    check: float = 60.0  # between looks at how a webhook is doing
    patience: float = 60.0  # for the rest of a message of which a part has been sent


class Pauses:
    """Growing pauses between attempts, with jitter, until one succeeds."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._failures = 0

    def next(self) -> float:
        """Return how long to wait after one more failure."""
        grown = self._pace.first_pause * float(2**self._failures)
        longest = min(grown, self._pace.longest_pause)
        self._failures = min(self._failures + 1, 16)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def reset(self) -> None:
        """Forget the failures: an attempt succeeded."""
        self._failures = 0
