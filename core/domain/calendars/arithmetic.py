"""Sums with business time: how much lies between two moments, and when so much has passed.

Each year (UTC) is worked out once as open intervals with running totals; everything else is a
search in them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate, chain

from core.domain.calendars.calendar import CLOSED, MIDNIGHT, Calendar, Hours, zone_of
from core.domain.calendars.public_holidays import public_holidays
from core.domain.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MINUTE = 60_000_000  # in ticks, as are all instants and durations here
_DAY = MIDNIGHT * _MINUTE
_PROBE = 6 * 60 * _MINUTE  # no zone changes its offset twice in so short a time
_HORIZON_YEARS = 50


class TooFarAhead(InvalidInput):
    """The calendar does not open often enough for so much time to pass within fifty years."""

    def __init__(self) -> None:
        super().__init__("the calendar does not open often enough for this")


@dataclass(frozen=True, slots=True)
class _OpenHours:
    """Open intervals of one year: where each begins and ends, and what was open until it ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    totals: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.totals[-1] if self.totals else 0

    def before(self, instant: int) -> int:
        """Return how much of the year's open time lies before `instant`."""
        index = bisect_right(self.ends, instant)
        if index == len(self.ends):
            return self.total
        earlier = self.totals[index - 1] if index else 0
        return earlier + max(0, instant - self.starts[index])

    def when(self, passed: int) -> int:
        """Return when `passed`, which is more than nothing, of the year's open time is over."""
        index = bisect_left(self.totals, passed)
        return self.ends[index] - (self.totals[index] - passed)


class BusinessHours:
    """A calendar that sums can be done with. Worth keeping: each year is worked out once."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._zone = zone_of(calendar)
        self._own_days = {own.day: own.hours for own in calendar.own_days}
        self._years: dict[int, _OpenHours] = {}

    def between(self, since: datetime, until: datetime) -> timedelta:
        """Return for how long it is open from `since` until `until`; nothing if that is before.

        Both must be aware. Exact to the microsecond.
        """
        start, end = _ticks(since), _ticks(until)
        total = 0
        if start < end:
            for year in range(_year(start), _year(end) + 1):
                open_hours = self._open_hours(year)
                total += open_hours.before(end) - open_hours.before(start)
        return total * _TICK

    def later(self, since: datetime, span: timedelta) -> datetime:
        """Return the first moment at which `span` of business time has passed since `since`.

        That is `since` itself where `span` is nothing, and a closing time rather than the opening
        after it.

        Raises:
            TooFarAhead: that is not within fifty years.
        """
        start, missing = _ticks(since), span // _TICK
        if missing <= 0:
            return since
        for year in _years_from(start):
            open_hours = self._open_hours(year)
            before = open_hours.before(start)
            if open_hours.total - before >= missing:
                return _moment(open_hours.when(before + missing))
            missing -= open_hours.total - before
        raise TooFarAhead

    def next_opening(self, at: datetime) -> datetime:
        """Return `at` where it is open then, else when it opens next.

        Raises:
            TooFarAhead: that is not within fifty years.
        """
        instant = _ticks(at)
        for year in _years_from(instant):
            open_hours = self._open_hours(year)
            index = bisect_right(open_hours.ends, instant)
            if index < len(open_hours.starts):
                start = open_hours.starts[index]
                return at if start <= instant else _moment(start)
        raise TooFarAhead

    def windows(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Return when it is open from `since` until `until`, each stretch with beginning and end.

        Both must be aware. What goes on past midnight is one stretch, but at the end of a year
        (UTC).
        """
        start, end = _ticks(since), _ticks(until)
        found = []
        if start < end:
            for year in range(_year(start), _year(end) + 1):
                open_hours = self._open_hours(year)
                for opens, closes in zip(open_hours.starts, open_hours.ends, strict=True):
                    if opens < end and closes > start:
                        found.append((_moment(max(opens, start)), _moment(min(closes, end))))
        return found

    def is_open(self, at: datetime) -> bool:
        """Say whether it is open at `at`; at the moment of closing it is not."""
        instant = _ticks(at)
        open_hours = self._open_hours(_year(instant))
        index = bisect_right(open_hours.ends, instant)
        return index < len(open_hours.starts) and open_hours.starts[index] <= instant

    def days_later(self, since: datetime, days: int) -> datetime:
        """Return when `days` whole business days have passed since `since`.

        A business day is a day with opening hours. From Friday at four, one day in a usual week
        leads to Monday at four; what lies outside opening hours counts from the next opening.

        Raises:
            TooFarAhead: that is not within fifty years.
        """
        local = self.next_opening(since).astimezone(self._zone)
        day, found = local.date(), 0
        last = date(min(day.year + _HORIZON_YEARS, date.max.year - 1), 1, 1)
        while found < days:
            day += timedelta(days=1)
            if day > last:
                raise TooFarAhead
            found += bool(self.of_day(day))
        return datetime.combine(day, local.timetz()).astimezone(UTC)

    def of_day(self, day: date) -> Hours:
        """Return a day's opening hours: its own, or none on a holiday, or its weekday's."""
        own = self._own_days.get(day)
        if own is not None:
            return own
        country, region = self.calendar.country, self.calendar.region
        if country and day in public_holidays(country, region, day.year):
            return CLOSED
        return self.calendar.week[day.weekday()]

    def _open_hours(self, year: int) -> _OpenHours:
        if year not in self._years:
            self._years[year] = _joined(self._intervals(year))
        return self._years[year]

    def _intervals(self, year: int) -> Iterator[tuple[int, int]]:
        """Yield the open intervals of a year in order, cut where the zone's offset changes."""
        for start, end, offset in _offsets(self._zone, year):
            day = _moment(start + offset).date()
            midnight = _ticks(datetime.combine(day, time(), UTC)) - offset
            while midnight < end:
                for window in self.of_day(day):
                    opens = max(start, midnight + window.opens * _MINUTE)
                    closes = min(end, midnight + window.closes * _MINUTE)
                    if opens < closes:
                        yield opens, closes
                day += timedelta(days=1)
                midnight += _DAY


@lru_cache(maxsize=1_000)  # calendars share zones, and each change of one begins a new calendar
def _offsets(zone: tzinfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """Return the stretches of a year that have one offset from UTC: start, end, offset."""
    begin, end = _first_instant(year), _first_instant(year + 1)
    offset, seen = _offset_at(zone, begin), begin
    found = []
    for probe in chain(range(begin + _PROBE, end, _PROBE), (end - 1,)):
        later = _offset_at(zone, probe)
        if later != offset:
            change = _change(zone, seen, probe)
            found.append((begin, change, offset))
            begin, offset = change, later
        seen = probe
    return (*found, (begin, end, offset))


def _change(zone: tzinfo, low: int, high: int) -> int:
    """Return the first instant after `low` at which the offset is that of `high`."""
    before = _offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_at(zone: tzinfo, instant: int) -> int:
    offset = _moment(instant).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // _TICK


def _joined(intervals: Iterable[tuple[int, int]]) -> _OpenHours:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in intervals:
        if ends and ends[-1] == start:
            ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return _OpenHours(tuple(starts), tuple(ends), tuple(accumulate(lengths)))


def _first_instant(year: int) -> int:
    return _ticks(datetime(year, 1, 1, tzinfo=UTC))


def _years_from(instant: int) -> range:
    first = _year(instant)
    return range(first, min(first + _HORIZON_YEARS, date.max.year - 1))


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _moment(ticks: int) -> datetime:
    return _EPOCH + ticks * _TICK


def _year(ticks: int) -> int:
    return _moment(ticks).year
