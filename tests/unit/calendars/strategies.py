"""Random calendars and moments, many of them where clocks change, years end and holidays lie."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from core.domain.calendars.calendar import (
    ALL_DAY,
    CLOSED,
    MIDNIGHT,
    Calendar,
    Hours,
    ImpossibleCalendar,
    OwnDay,
    Window,
    check,
    time_zones,
)
from core.domain.calendars.public_holidays import public_holidays

_ODD_ZONES = (
    "Europe/Madrid",
    "America/New_York",
    "America/St_Johns",  # changed at one minute past midnight
    "America/Sao_Paulo",  # changed at midnight
    "America/Havana",
    "Asia/Beirut",
    "Asia/Gaza",
    "Africa/Casablanca",  # changes four times a year
    "Africa/Cairo",
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Pacific/Apia",  # left out a whole day
    "Pacific/Kwajalein",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "UTC",
)
_COUNTRIES = ((None, None), ("ES", "MD"), ("ES", None), ("US", "NY"), ("DE", "BY"), ("BR", "SP"))
_SECONDS_OF_DAY = 86_400

public_holidays("ES", None, 2020)  # loads the package, which takes longer than a case should

zones = st.sampled_from(_ODD_ZONES) | st.sampled_from(sorted(time_zones()))


def _some_hours(chance: random.Random) -> Hours:
    """Return up to four windows, now and then from the very beginning or to the very end."""
    edges = sorted(chance.sample(range(MIDNIGHT + 1), 2 * chance.randint(1, 4)))
    if chance.random() < 0.2:
        edges[0] = 0
    if chance.random() < 0.2:
        edges[-1] = MIDNIGHT
    return tuple(
        Window(opens=opens, closes=closes)
        for opens, closes in zip(edges[::2], edges[1::2], strict=True)
        if opens < closes
    )


# Made once: drawing each window of each day of each case took longer than all that is done with
# them.
_DAYS = [_some_hours(random.Random(seed)) for seed in range(1_000)]
hours = st.sampled_from([*[CLOSED] * 100, *[ALL_DAY] * 100, *_DAYS])


@st.composite
def calendars_and_moments(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """Return a calendar, and a moment worth looking at with it."""
    zone = draw(zones)
    at = draw(_moments(zone))
    week = tuple(draw(hours) for _ in range(7))
    country, region = draw(st.sampled_from(_COUNTRIES))
    near = draw(st.lists(st.integers(-3, 5), max_size=3, unique=True))
    own_days = tuple(
        OwnDay(day=(at + timedelta(days=days)).date(), hours=draw(hours)) for days in near
    )
    calendar = Calendar(zone=zone, week=week, country=country, region=region, own_days=own_days)
    try:
        return check(calendar), at
    except ImpossibleCalendar:  # closed all week
        return check(Calendar(zone=zone, week=(ALL_DAY, *week[1:]), own_days=own_days)), at


@st.composite
def _moments(draw: st.DrawFn, zone: str) -> datetime:
    year = draw(st.integers(1995, 2040))
    kind = draw(st.integers(0, 5))
    second = timedelta(seconds=draw(st.integers(0, _SECONDS_OF_DAY - 1)))
    if kind <= 2 and (changes := _changes(zone, year)):
        return draw(st.sampled_from(changes)) - second * 2
    begin = datetime(year, 1, 1, tzinfo=UTC)
    if kind == 3:
        return begin + timedelta(days=-1) + second * 2
    return begin + timedelta(days=draw(st.integers(0, 364))) + second


@cache
def _changes(zone: str, year: int) -> Sequence[datetime]:
    """Return the days of a year on which the clocks of `zone` change."""
    clock = ZoneInfo(zone)
    begin = datetime(year, 1, 1, tzinfo=UTC)
    days = [begin + timedelta(days=number) for number in range(366)]
    offsets = [day.astimezone(clock).utcoffset() for day in days]
    return [
        later
        for later, before, after in zip(days[1:], offsets, offsets[1:], strict=False)
        if before != after
    ]
