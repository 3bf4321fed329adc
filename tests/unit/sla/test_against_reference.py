"""Clocks with pauses against counting minutes, over random calendars and histories."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.calendars.calendar import Calendar
from core.domain.sla.clocks import History, Moment, Turn, clocks_of
from core.domain.sla.policy import ClockKind, ClockStart, Policy, PolicyId
from tests.unit.calendars.slow_hours import SlowHours
from tests.unit.calendars.strategies import calendars_and_moments

_MINUTE = timedelta(minutes=1)
_TURNS = st.sampled_from(tuple(Turn))
_STEPS = st.lists(st.tuples(st.integers(0, 60 * 60 * 12), _TURNS), max_size=7)


@given(
    where=calendars_and_moments(),
    before=st.integers(0, 60 * 60 * 3),
    steps=_STEPS,
    target=st.integers(60, 60 * 60 * 16),
    rest=st.integers(0, 60 * 60 * 6),
    start=st.sampled_from(ClockStart),
)
def test_a_resolution_clock_with_pauses_is_what_counting_minutes_gives(
    where: tuple[Calendar, datetime],
    before: int,
    steps: list[tuple[int, Turn]],
    target: int,
    rest: int,
    start: ClockStart,
) -> None:
    calendar, asked = where
    opened = at = asked + timedelta(seconds=before)
    moments = [Moment(at=at, turn=Turn.RUNS)]
    for seconds, turn in steps:
        at += timedelta(seconds=seconds)
        moments.append(Moment(at=at, turn=turn))
    now = at + timedelta(seconds=rest)
    policy = Policy(
        id=PolicyId(UUID(int=1)),
        name="any",
        targets={ClockKind.RESOLUTION: timedelta(seconds=target)},
        start=start,
    )
    (clock,) = clocks_of(
        policy,
        BusinessHours(calendar),
        History(asked_at=asked, opened_at=opened, moments=moments),
        now,
    )

    slow = SlowHours(calendar)
    spent, since, passed_at = timedelta(0), asked, None
    is_running = start == ClockStart.FIRST_MESSAGE
    for moment in [*moments, Moment(at=now, turn=Turn.ASKED)]:
        if is_running:
            part = slow.between(since, moment.at)
            if passed_at is None and spent + part > timedelta(seconds=target):
                passed_at = slow.later(since, timedelta(seconds=target) - spent, moment.at)
            spent += part
        since = moment.at
        if moment.turn in (Turn.RUNS, Turn.WAITS, Turn.ENDS, Turn.LEAVES):
            is_running = moment.turn == Turn.RUNS
    running_part = (
        timedelta(0) if clock.running_since is None else slow.between(clock.running_since, now)
    )
    assert clock.spent + running_part == spent
    assert (clock.running_since is not None) == is_running
    if passed_at is None:
        # At the very moment, or in the closed time after it, the target is reached, not passed.
        assert clock.breached_at is None or spent == timedelta(seconds=target)
    else:
        assert clock.breached_at == passed_at
