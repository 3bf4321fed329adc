"""How a connected account is doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountState(StrEnum):
    """What an admin has to know of an account at a glance."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DEGRADED = "degraded"  # works in part, or failed and tries again by itself
    BAD_CREDENTIALS = "bad_credentials"  # an admin has to act
    PAUSED = "paused"  # an admin switched it off


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A state, why, and what to do about it."""

    state: AccountState
    reason: str = ""
    remedy: str = ""
