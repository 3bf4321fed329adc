"""How long what failed waits until it is tried again: longer each time, and not all alike."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that grow by `factor` from one failure in a row to the next, up to a longest one."""

    first_seconds: float
    longest_seconds: float
    factor: float = 2.0

    def pause_seconds(self, failures: int) -> float:
        """Return how long to wait after `failures` in a row: at least half of the most it can be.

        The other half is chance, so that those that failed together do not come back together.
        """
        most = self.first_seconds
        for _ in range(failures - 1):
            if most >= self.longest_seconds:
                break
            most *= self.factor
        return min(most, self.longest_seconds) * random.uniform(0.5, 1.0)  # noqa: S311


class Pauses:
    """The pauses of one thing that is tried again and again until it succeeds."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0

    def next_seconds(self) -> float:
        """Return how long to wait after one more failure."""
        self._failures += 1
        return self._backoff.pause_seconds(self._failures)

    def reset(self) -> None:
        """Begin with short pauses again: an attempt succeeded."""
        self._failures = 0
