"""What can go wrong between the desk and a platform, and which of it happens next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """One kind of trouble."""

    THROTTLED = "429"  # the platform asks to wait
    CUT_BEFORE = "cut_before"  # the connection ends before the request was read
    CUT_AFTER = "cut_after"  # the request takes effect, then the connection ends unanswered
    BAD_CREDENTIALS = "bad_credentials"  # the platform does not accept the account's token
    BROKEN = "broken"  # the platform fails within: an answer of the 500 kind
    SLOW = "slow"  # the answer is late by `Faults.delay_seconds`
    DUPLICATED = "duplicate"  # what happened on the platform is told twice
    REORDERED = "reorder"  # what happened is told after what happened next


SENDING = frozenset(
    {
        Fault.THROTTLED,
        Fault.CUT_BEFORE,
        Fault.CUT_AFTER,
        Fault.BAD_CREDENTIALS,
        Fault.BROKEN,
        Fault.SLOW,
    }
)
"""Faults of the desk's calls; the others are of what the platform tells the desk."""


@dataclass(slots=True)
class Faults:
    """The trouble that is planned: each fault happens once, in the order given."""

    retry_after_seconds: int = 1
    delay_seconds: float = 0.2
    _calls: deque[tuple[Fault, str | None]] = field(default_factory=deque)
    _news: deque[Fault] = field(default_factory=deque)

    def plan(self, *faults: Fault, method: str | None = None) -> None:
        """Let the next calls (of `method` alone, where given) or the next news meet `faults`."""
        for fault in faults:
            if fault in SENDING:
                self._calls.append((fault, method))
            else:
                self._news.append(fault)

    def for_call(self, method: str, among: Iterable[str] = ()) -> Fault | None:
        """Return the fault that a call of `method` meets, and strike it off.

        A fault planned without a method waits for one of `among`; where that is empty, for any.
        """
        wanted = tuple(among)
        for planned in self._calls:
            fault, only = planned
            if only == method or (only is None and (not wanted or method in wanted)):
                self._calls.remove(planned)
                return fault
        return None

    def for_news(self) -> Fault | None:
        """Return the fault that the next thing to tell meets, and strike it off."""
        return self._news.popleft() if self._news else None
