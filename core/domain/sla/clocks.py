"""How a ticket's clocks stand, worked out from its history alone.

Nothing is counted up step by step: whatever changes, the clocks are worked out again, so that a
policy that came late, or a change that was seen twice, gives the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.sla.policy import ClockKind, ClockStart, Policy
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus

_NOTHING = timedelta(0)


class Turn(StrEnum):
    """What happened in a ticket, as far as clocks care."""

    RUNS = "runs"  # its status is one in which the desk has to act
    WAITS = "waits"  # for the requester or for others
    ENDS = "ends"  # solved or closed
    LEAVES = "leaves"  # closed as merged or spam: over too, but as if never when that is undone
    ASKED = "asked"  # the requester said something
    ANSWERED = "answered"  # an agent answered


_BY_CATEGORY = {
    StatusCategory.OPEN: Turn.RUNS,
    StatusCategory.WAITING: Turn.WAITS,
    StatusCategory.DONE: Turn.ENDS,
}


def turn_of_status(status: TicketStatus) -> Turn:
    """Return what a change to `status` means for clocks."""
    return _BY_CATEGORY[CATEGORY[status]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened in a ticket."""

    at: datetime
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A ticket from its first message on."""

    asked_at: datetime  # the requester's first message of this matter
    opened_at: datetime  # the hand-off; not before `asked_at`
    moments: Sequence[Moment]  # since then, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time; open where it has not ended."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One promise of a ticket, and how it stands."""

    kind: ClockKind
    round: int  # from 1; only next responses have further ones
    target: timedelta
    started_at: datetime
    spent: timedelta  # business time until `running_since`, or in all where it stands still
    running_since: datetime | None  # none: it stands still
    due_at: datetime | None  # of a running clock
    warn_at: datetime | None  # of a running clock
    breached_at: datetime | None  # when the target was passed; also set for one due in the past
    met_at: datetime | None  # when what was promised happened, in time or not


def clocks_of(policy: Policy, hours: BusinessHours, history: History, now: datetime) -> list[Clock]:
    """Return the clocks of a ticket under `policy`, as they stand at `now`."""
    found: list[Clock] = []
    for kind, number, started, ended, met in _promises(policy, history):
        target = policy.targets.get(kind)
        if target is None:
            continue
        spans = _running(history, started, ended, policy.start)
        found.append(
            _clock(
                kind,
                number,
                spans,
                hours=hours,
                target=target,
                warn_percent=policy.warn_percent,
                started=started,
                met=met,
                now=now,
            )
        )
    return found


def time_in(hours: BusinessHours, spans: Iterable[Span], now: datetime) -> timedelta:
    """Return the business time in `spans`, until `now` where one is open."""
    return sum((hours.between(span.start, span.end or now) for span in spans), _NOTHING)


def working_spans(history: History) -> list[Span]:
    """Return when it was for the desk's people to act: neither waiting nor done."""
    return list(_running(history, history.opened_at, None, ClockStart.HAND_OFF))


_Promise = tuple[ClockKind, int, datetime, datetime | None, datetime | None]
"""Kind, round, when it starts, when it stops for good, when it was kept."""


def _promises(policy: Policy, history: History) -> Iterator[_Promise]:
    start = history.asked_at if policy.start == ClockStart.FIRST_MESSAGE else history.opened_at
    first: datetime | None = None
    solved: datetime | None = None
    left: datetime | None = None
    asked: datetime | None = None  # since when a further word of the requester has no answer
    rounds = 0
    later: list[_Promise] = []
    for moment in history.moments:
        match moment.turn:
            case Turn.ANSWERED | Turn.ENDS:
                first = first or moment.at
                if asked is not None:
                    later.append((ClockKind.NEXT_RESPONSE, rounds, asked, moment.at, moment.at))
                    asked = None
                if moment.turn == Turn.ENDS:
                    solved = solved or moment.at
            case Turn.ASKED:
                if first is not None and asked is None:
                    asked, rounds = moment.at, rounds + 1
            case Turn.LEAVES:
                left = left or moment.at
                solved = solved or left
            case Turn.RUNS | Turn.WAITS:
                solved = left = None
    if asked is not None:
        later.append((ClockKind.NEXT_RESPONSE, rounds, asked, left, left))
    first = first or left
    yield ClockKind.FIRST_RESPONSE, 1, start, first, first
    yield from later
    yield ClockKind.RESOLUTION, 1, start, solved, solved


def _running(
    history: History, started: datetime, ended: datetime | None, start: ClockStart
) -> Iterator[Span]:
    """Yield when a clock runs that starts at `started` and stops for good at `ended`."""
    for span in _open_spans(history, start):
        begin = max(span.start, started)
        end = span.end
        if ended is not None:
            end = ended if end is None else min(end, ended)
        if end is None or begin < end:
            yield Span(start=begin, end=end)


def _open_spans(history: History, start: ClockStart) -> Iterator[Span]:
    since: datetime | None = (
        history.asked_at if start == ClockStart.FIRST_MESSAGE else history.opened_at
    )
    for moment in history.moments:
        match moment.turn:
            case Turn.RUNS:
                since = since or moment.at
            case Turn.WAITS | Turn.ENDS | Turn.LEAVES if since is not None:
                yield Span(start=since, end=moment.at)
                since = None
            case _:
                pass
    if since is not None:
        yield Span(start=since)


def _clock(
    kind: ClockKind,
    number: int,
    spans: Iterable[Span],
    *,
    hours: BusinessHours,
    target: timedelta,
    warn_percent: int,
    started: datetime,
    met: datetime | None,
    now: datetime,
) -> Clock:
    spent = _NOTHING
    running: datetime | None = None
    breached: datetime | None = None
    for span in spans:
        if span.end is None:
            running = span.start
            break
        passed = hours.between(span.start, span.end)
        # What happens at the very moment it is due is in time.
        if breached is None and spent + passed > target:
            breached = hours.later(span.start, target - spent)
        spent += passed
    due = warn = None
    if running is not None:
        due = breached or hours.later(running, target - spent)
        warn = hours.later(running, max(_NOTHING, target * warn_percent / 100 - spent))
        if due < now:
            breached = due
    return Clock(
        kind=kind,
        round=number,
        target=target,
        started_at=started,
        spent=spent,
        running_since=running,
        due_at=due,
        warn_at=warn,
        breached_at=breached,
        met_at=met,
    )
