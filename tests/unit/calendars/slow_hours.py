"""Business hours worked out minute by minute with a clock on the wall: slow, and plainly right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from core.domain.calendars.calendar import Calendar

MINUTE = timedelta(minutes=1)


class SlowHours:
    """Answers what `BusinessHours` answers, by looking at every minute."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.zone)
        self._minutes: dict[date, frozenset[int]] = {}

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(self._zone)
        day = wall.date()
        if day not in self._minutes:
            self._minutes[day] = frozenset(self._open_minutes(day))
        return wall.hour * 60 + wall.minute in self._minutes[day]

    def _open_minutes(self, day: date) -> Iterator[int]:
        """Yield the minutes of a day at which it is open, by the clock on the wall."""
        calendar = self._calendar
        for own in calendar.own_days:
            if own.day == day:
                hours = own.hours
                break
        else:
            hours = calendar.week[day.weekday()]
            if calendar.country and day in _holidays(calendar.country, calendar.region, day.year):
                hours = ()
        for window in hours:
            yield from range(window.opens, window.closes)

    def between(self, since: datetime, until: datetime) -> timedelta:
        steps = (step for step in _steps(since, until) if self.is_open(step[0]))
        return sum((end - start for start, end in steps), timedelta(0))

    def later(self, since: datetime, span: timedelta, until: datetime) -> datetime | None:
        """Return when `span` has passed, or None if that is not before `until`."""
        passed = timedelta(0)
        if span <= passed:
            return since
        for start, end in _steps(since, until):
            if self.is_open(start):
                if passed + (end - start) >= span:
                    return start + (span - passed)
                passed += end - start
        return None

    def next_opening(self, at: datetime, until: datetime) -> datetime | None:
        """Return the next opening, or None if there is none before `until`."""
        return next((start for start, _ in _steps(at, until) if self.is_open(start)), None)


def _steps(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the minutes between two moments; the first and the last may be cut short."""
    start, end = since, since.replace(second=0, microsecond=0) + MINUTE
    while end < until:
        yield start, end
        start, end = end, end + MINUTE
    if start < until:
        yield start, until


@cache
def _holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=region, years=year))
