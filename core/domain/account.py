"""What an account may be called, where it comes from, and how it is doing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from core.domain.ids import AccountId

ACCOUNT_NAME = re.compile(r"[a-z0-9-]{1,40}")
"""What the whole name of an account has to look like: it becomes part of addresses."""

REHEARSAL_PREFIX = "rehearsal-"
"""How the names of rehearsals' accounts begin, and of no others: what has such a name is erased."""

PROGRAMS = AccountId("programs")
"""The account that programs report by, and of problems that agents open."""

IN_PERSON = AccountId("in_person")
"""The account of what people ask for on the phone or at the counter, and cannot be mailed about."""


class Origin(StrEnum):
    """Where an account's settings are kept."""

    SETTINGS = "settings"  # in the environment of the desk's processes
    CONSOLE = "console"  # an admin entered them
    REHEARSAL = "rehearsal"  # a rehearsal made it and takes it away


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
