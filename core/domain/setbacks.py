"""What the desk does by the clock, by name, and how long it waits after it could not."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_FIRST_PAUSE_OF_ALL, _LONGEST_PAUSE_OF_ALL = timedelta(seconds=5), timedelta(minutes=5)
_MOST_DOUBLINGS = 10


class Chore(StrEnum):
    """What falls due for one ticket, or one thing like it, at a time."""

    PROMISES = "promises"
    ENDING = "ending"
    DUE_DATES = "due_dates"
    ESCALATION = "escalation"
    RETURNING = "returning"
    SHARING = "sharing"
    QUEUE_NOTICES = "queue_notices"
    SURVEYS = "surveys"
    IDLE_RULES = "idle_rules"
    PROBLEM_UPDATES = "problem_updates"
    APPROVALS = "approvals"
    LINK_CODES = "link_codes"
    HELD_REPLIES = "held_replies"
    EARLY_EVENTS = "early_events"
    GIVING_UP = "giving_up"
    NOTICE_MAILS = "notice_mails"
    NOTICE_CHATS = "notice_chats"
    APPROVAL_MAILS = "approval_mails"
    ACCESS_MAILS = "access_mails"


def pause_after(tries: int) -> timedelta:
    """Return how long one thing waits that has failed `tries` times, one or more."""
    return min(_FIRST_PAUSE * _doubled(tries), _LONGEST_PAUSE)


def pause_of_all_after(tries: int) -> timedelta:
    """Return how long a duty waits that could not be begun `tries` times, one or more."""
    return min(_FIRST_PAUSE_OF_ALL * _doubled(tries), _LONGEST_PAUSE_OF_ALL)


def _doubled(tries: int) -> int:
    return int(2 ** min(tries - 1, _MOST_DOUBLINGS))
