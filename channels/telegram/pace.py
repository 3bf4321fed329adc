"""How long the channel waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.backoff import Backoff

_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waiting times in seconds."""

    poll: int = 50  # for news, in one call
    backoff: Backoff = _BACKOFF  # after failures
    probe: float = 60.0  # between attempts with credentials that were refused
    check: float = 60.0  # between looks at how a webhook is doing
    patience: float = 60.0  # for the rest of a message of which a part has been sent
