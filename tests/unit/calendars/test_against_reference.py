"""The quick sums with business time against minute-by-minute ones, over random calendars."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.calendars.calendar import Calendar
from tests.unit.calendars.slow_hours import SlowHours
from tests.unit.calendars.strategies import calendars_and_moments

_SPANS = st.integers(0, 60 * 60 * 36) | st.integers(0, 60 * 60 * 24 * 4)
_SOON = timedelta(days=5)


@given(where=calendars_and_moments(), seconds=_SPANS)
def test_business_time_between_two_moments_is_what_counting_minutes_gives(
    where: tuple[Calendar, datetime], seconds: int
) -> None:
    calendar, since = where
    until = since + timedelta(seconds=seconds)
    assert BusinessHours(calendar).between(since, until) == SlowHours(calendar).between(
        since, until
    )


@given(where=calendars_and_moments(), seconds=_SPANS)
def test_the_moment_after_so_much_business_time_is_what_counting_minutes_gives(
    where: tuple[Calendar, datetime], seconds: int
) -> None:
    calendar, since = where
    span = timedelta(seconds=seconds)
    found = BusinessHours(calendar).later(since, span)
    expected = SlowHours(calendar).later(since, span, since + _SOON)
    if expected is None:
        assert found >= since + _SOON
    else:
        assert found == expected


@given(where=calendars_and_moments())
def test_the_next_opening_is_what_looking_at_each_minute_finds(
    where: tuple[Calendar, datetime],
) -> None:
    calendar, at = where
    quick, slow = BusinessHours(calendar), SlowHours(calendar)
    assert quick.is_open(at) == slow.is_open(at)
    found = quick.next_opening(at)
    expected = slow.next_opening(at, at + _SOON)
    if expected is None:
        assert found >= at + _SOON
    else:
        assert found == expected
    assert quick.is_open(found)


@given(where=calendars_and_moments(), seconds=st.integers(1, 60 * 60 * 24 * 400))
def test_so_much_business_time_lies_between_a_moment_and_the_moment_after_it(
    where: tuple[Calendar, datetime], seconds: int
) -> None:
    calendar, since = where
    span = timedelta(seconds=seconds)
    quick = BusinessHours(calendar)
    assert quick.between(since, quick.later(since, span)) == span


@given(where=calendars_and_moments(), parts=st.lists(st.integers(0, 60 * 60 * 24 * 90), max_size=5))
def test_business_time_adds_up_over_parts(
    where: tuple[Calendar, datetime], parts: list[int]
) -> None:
    calendar, since = where
    quick = BusinessHours(calendar)
    total, at = timedelta(0), since
    for seconds in parts:
        later = at + timedelta(seconds=seconds)
        total += quick.between(at, later)
        at = later
    assert total == quick.between(since, at)
