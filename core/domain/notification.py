"""What agents are told of, and when they want to be left alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.domain.errors import InvalidInput


class Notice(StrEnum):
    """Why an agent is told."""

    ASSIGNED = "assigned"  # a ticket was given to them
    ANSWERED = "answered"  # the requester of their ticket wrote
    MENTIONED = "mentioned"  # a colleague named them in a note
    WATCHED = "watched"  # something was said in a ticket they watch
    CHANGED = "changed"  # one they watch, or had, was solved, reopened or given to others
    QUEUED = "queued"  # a ticket waits in their team for somebody to take it
    PASSED = "passed"  # one was passed to their team, and nobody has it
    NO_ROOM = "no_room"  # one finds nobody who is there and has room
    AT_RISK = "at_risk"  # a promise about their ticket is about to be broken
    BROKEN = "broken"
    DUE = "due"  # the due date of their ticket comes near
    LOW_SCORE = "low_score"  # a requester was not content
    ESCALATED = "escalated"  # a ticket came up to them, and nobody has it
    STUCK = "stuck"  # one's time was up, and there is nobody that it could go on to
    APPROVAL = "approval"  # a request waits for their decision
    TASK = "task"  # what they are to do for a request can begin
    BY_RULE = "by_rule"  # a rule or macro tells them; the detail is what it is called
    HELD_BACK = "held_back"  # a rule applies again and again; the detail is what it is called


class Wish(StrEnum):
    """Whether an agent wants notices outside the console, by mail or in chat."""

    NEVER = "never"
    UNREAD = "unread"  # what they did not see in the console for a few minutes
    URGENT = "urgent"  # of that, only those of `URGENT`


class Reach(StrEnum):
    """How far notices of one kind go to an agent."""

    EVERYWHERE = "everywhere"  # to the console, and outside as they wish
    HERE = "here"  # to the console alone
    NOWHERE = "nowhere"


class Turn(StrEnum):
    """What became of a ticket that somebody watches, or had: the detail of `CHANGED`."""

    SOLVED = "solved"
    CLOSED = "closed"
    REOPENED = "reopened"
    REASSIGNED = "reassigned"
    RELEASED = "released"
    SIDE_LOST = "side_lost"  # a letter beside it, to somebody else, does not arrive


URGENT = frozenset(
    {
        Notice.MENTIONED,
        Notice.AT_RISK,
        Notice.BROKEN,
        Notice.LOW_SCORE,
        Notice.ESCALATED,
        Notice.STUCK,
        Notice.BY_RULE,
        Notice.HELD_BACK,
    }
)
"""Notices for those who want few."""

NOT_MAILED = frozenset({Notice.APPROVAL})
"""Notices that are never mailed: whoever is to approve something gets a letter of its own."""

IN_QUEUE = frozenset({Notice.QUEUED, Notice.PASSED, Notice.NO_ROOM, Notice.ESCALATED})
"""Notices of a ticket that nobody has; they are over as soon as somebody takes it."""

UNREAD_FOR = timedelta(minutes=3)
"""How long a notice waits to be seen in the console before it is mailed."""

UNREAD_FOR_CHAT = timedelta(seconds=20)
"""How long it waits before it is written in chat, where people expect to hear at once."""

_MENTION = re.compile(r"(?<![\w@.])@([\w.\-]+(?:@[\w.\-]+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When an agent is not to be told, by their own clock; may go past midnight."""

    starts: time
    ends: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.starts == self.ends:
            raise InvalidInput("quiet hours end at another time than they begin")

    def after(self, moment: datetime) -> datetime:
        """Return `moment`, or the end of the quiet hours that it falls into."""
        local = moment.astimezone(self.zone)
        now = local.time()
        if self.starts < self.ends:
            is_quiet = self.starts <= now < self.ends
        else:
            is_quiet = now >= self.starts or now < self.ends
        if not is_quiet:
            return moment
        end = local.replace(
            hour=self.ends.hour, minute=self.ends.minute, second=0, microsecond=0, fold=0
        )
        if end <= local:
            end = (local + timedelta(days=1)).replace(
                hour=self.ends.hour, minute=self.ends.minute, second=0, microsecond=0, fold=0
            )
        return end.astimezone(moment.tzinfo)


def mentions(words: str) -> Sequence[str]:
    """Return whom a note names with an @: names without spaces, or e-mail addresses; lower case."""
    return list(dict.fromkeys(found.rstrip(".").casefold() for found in _MENTION.findall(words)))
