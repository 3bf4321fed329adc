"""The date by which a ticket is to be done, as agents set it: how it stands, when to remind."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

DAY_BEFORE = timedelta(days=1)
HOUR_BEFORE = timedelta(hours=1)
"""How long before it somebody is reminded: a day, or an hour where it is set that late."""


class DueDate(StrEnum):
    """How it stands with the date that a ticket is due."""

    PAST = "past"
    NEAR = "near"  # within a day
    SET = "set"
    NONE = "none"


def remind_at(due: datetime | None, now: datetime) -> datetime | None:
    """Return when to remind of `due`, set at `now`; None where it is none, or too near for that."""
    if due is None:
        return None
    for before in (DAY_BEFORE, HOUR_BEFORE):
        if due - before > now:
            return due - before
    return None
