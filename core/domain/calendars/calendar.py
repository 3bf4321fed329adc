"""What a calendar of business hours is, and which ones are impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

from core.domain.calendars.public_holidays import has_country, has_region
from core.domain.errors import InvalidInput

MIDNIGHT = 24 * 60
"""The end of a day, in minutes after its beginning."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_WINDOWS = 12
_MAX_OWN_DAYS = 1000
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class Impossible(StrEnum):
    """Why there cannot be such a calendar; the sentence is the one people read."""

    NEVER_OPENS = "a calendar needs a day with opening hours"
    BACKWARDS = "opening hours end after they begin: split at 24:00 what goes on past midnight"
    OUTSIDE_DAY = "opening hours lie between 00:00 and 24:00"
    NOT_A_TIME = "a time of day is written as 09:30"
    OVERLAP = "opening hours of one day must not overlap"
    TOO_MANY_WINDOWS = "a day has 12 opening hours at most"
    UNKNOWN_ZONE = "there is no such time zone"
    UNKNOWN_COUNTRY = "no public holidays are known for this country"
    UNKNOWN_REGION = "no public holidays are known for this region"
    REGION_ALONE = "a region needs its country"
    NOT_A_DATE = "a date is written as 2030-12-31"
    REPEATED_DAY = "a day is listed twice"
    TOO_MANY_DAYS = "a calendar has 1,000 days of its own at most"
    YEAR_OUT_OF_RANGE = "days of a calendar lie between 1970 and 2200"
    WEEKDAYS = "a week has seven days"


class ImpossibleCalendar(InvalidInput):
    """There cannot be such a calendar."""

    def __init__(self, why: Impossible, what: str = "") -> None:
        super().__init__(f"{why} ({what})" if what else str(why))
        self.why = why
        self.what = what  # the part that is wrong, as the admin wrote it


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """Opening hours by the clock on the wall: from `opens` until before `closes`."""

    opens: int  # minutes after midnight
    closes: int  # minutes after midnight; `MIDNIGHT` is the end of the day

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


Hours = tuple[Window, ...]
"""The opening hours of one day, in order; none: closed."""

CLOSED: Hours = ()
ALL_DAY: Hours = (Window(opens=0, closes=MIDNIGHT),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDay:
    """A day with other hours than its weekday and the public holidays give it."""

    day: date
    hours: Hours = CLOSED
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When a desk is open. `check` says whether it can be.

    The desk is open at every instant at which the wall clock of the zone reads a time inside a
    window of that day. So an hour that daylight saving leaves out is not worked, and one that it
    repeats is worked twice.
    """

    zone: str  # IANA name
    week: tuple[Hours, ...]  # seven, Monday first
    country: str | None = None  # ISO 3166-1 alpha-2; its public holidays are closed
    region: str | None = None  # the part after the country in ISO 3166-2, such as "MD"
    own_days: tuple[OwnDay, ...] = ()  # by date


ALWAYS = Calendar(zone="UTC", week=(ALL_DAY,) * 7)
"""Round the clock, every day."""


def check(calendar: Calendar) -> Calendar:
    """Return `calendar` with windows and days in order.

    Raises:
        ImpossibleCalendar: there cannot be such a calendar.
    """
    if calendar.zone not in time_zones():
        raise ImpossibleCalendar(Impossible.UNKNOWN_ZONE, calendar.zone)
    if len(calendar.week) != len(WEEKDAYS):
        raise ImpossibleCalendar(Impossible.WEEKDAYS)
    _check_holidays(calendar)
    own_days = _checked_days(calendar.own_days)
    week = tuple(_checked(hours, day) for hours, day in zip(calendar.week, WEEKDAYS, strict=True))
    if not any(week):
        raise ImpossibleCalendar(Impossible.NEVER_OPENS)
    return Calendar(
        zone=calendar.zone,
        week=week,
        country=calendar.country or None,
        region=calendar.region or None,
        own_days=own_days,
    )


def hours_from(text: str) -> Hours:
    """Return the hours that `text` lists, such as "09:00-13:00, 14:00-18:00"; empty is closed.

    Raises:
        ImpossibleCalendar: it is not such a list.
    """
    return tuple(_window(part.strip()) for part in text.split(",") if part.strip())


def hours_text(hours: Hours) -> str:
    """Return hours as `hours_from` reads them."""
    return ", ".join(str(window) for window in hours)


def date_from(text: str) -> date:
    """Return the day that `text` names (ISO 8601).

    Raises:
        ImpossibleCalendar: it names none.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ImpossibleCalendar(Impossible.NOT_A_DATE, text.strip()[:40]) from None


def document(calendar: Calendar) -> Mapping[str, object]:
    """Return `calendar` as JSON keeps it; `calendar_from` reads it again."""
    return MappingProxyType(
        {
            "zone": calendar.zone,
            "week": [hours_text(hours) for hours in calendar.week],
            "country": calendar.country,
            "region": calendar.region,
            "own_days": [
                {"day": own.day.isoformat(), "hours": hours_text(own.hours), "name": own.name}
                for own in calendar.own_days
            ],
        }
    )


def calendar_from(
    *,
    zone: str,
    week: Sequence[str],
    country: str | None,
    region: str | None,
    own_days: Sequence[Mapping[str, str]],
) -> Calendar:
    """Return the calendar that a document of `document` describes, checked.

    Raises:
        ImpossibleCalendar: there cannot be such a calendar.
    """
    return check(
        Calendar(
            zone=zone,
            week=tuple(hours_from(hours) for hours in week),
            country=country,
            region=region,
            own_days=tuple(
                OwnDay(
                    day=date_from(own["day"]),
                    hours=hours_from(own.get("hours", "")),
                    name=own.get("name", ""),
                )
                for own in own_days
            ),
        )
    )


def zone_of(calendar: Calendar) -> ZoneInfo:
    """Return the time zone that a calendar's wall clocks show."""
    return ZoneInfo(calendar.zone)


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones (IANA)."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _check_holidays(calendar: Calendar) -> None:
    if not calendar.country:
        if calendar.region:
            raise ImpossibleCalendar(Impossible.REGION_ALONE, calendar.region)
        return
    if not has_country(calendar.country):
        raise ImpossibleCalendar(Impossible.UNKNOWN_COUNTRY, calendar.country)
    if calendar.region and not has_region(calendar.country, calendar.region):
        raise ImpossibleCalendar(Impossible.UNKNOWN_REGION, calendar.region)


def _checked_days(own_days: tuple[OwnDay, ...]) -> tuple[OwnDay, ...]:
    if len(own_days) > _MAX_OWN_DAYS:
        raise ImpossibleCalendar(Impossible.TOO_MANY_DAYS)
    days = sorted(own_days, key=lambda own: own.day)
    for earlier, later in pairwise(days):
        if earlier.day == later.day:
            raise ImpossibleCalendar(Impossible.REPEATED_DAY, later.day.isoformat())
    for own in days:
        if not _FIRST_YEAR <= own.day.year <= _LAST_YEAR:
            raise ImpossibleCalendar(Impossible.YEAR_OUT_OF_RANGE, own.day.isoformat())
    return tuple(
        OwnDay(day=own.day, hours=_checked(own.hours, own.day.isoformat()), name=own.name)
        for own in days
    )


def _checked(hours: Hours, day: str) -> Hours:
    if len(hours) > _MAX_WINDOWS:
        raise ImpossibleCalendar(Impossible.TOO_MANY_WINDOWS, day)
    for window in hours:
        if not (0 <= window.opens <= MIDNIGHT and 0 <= window.closes <= MIDNIGHT):
            raise ImpossibleCalendar(Impossible.OUTSIDE_DAY, day)
        if window.closes <= window.opens:
            raise ImpossibleCalendar(Impossible.BACKWARDS, f"{day}: {window}")
    ordered = tuple(sorted(hours))
    for earlier, later in pairwise(ordered):
        if later.opens < earlier.closes:
            raise ImpossibleCalendar(Impossible.OVERLAP, f"{day}: {earlier}, {later}")
    return ordered


def _window(text: str) -> Window:
    opens, dash, closes = text.replace("–", "-").partition("-")  # noqa: RUF001  # people type it
    if not dash:
        raise ImpossibleCalendar(Impossible.NOT_A_TIME, text[:40])
    return Window(opens=_minutes(opens, text), closes=_minutes(closes, text))


def _minutes(clock: str, text: str) -> int:
    hour, colon, minute = clock.strip().partition(":")
    digits = hour + minute
    if not (colon and digits.isascii() and digits.isdigit() and len(minute) == 2 and hour):
        raise ImpossibleCalendar(Impossible.NOT_A_TIME, text[:40])
    if len(hour) > 2 or int(minute) > 59:
        raise ImpossibleCalendar(Impossible.NOT_A_TIME, text[:40])
    minutes = int(hour) * 60 + int(minute)
    if minutes > MIDNIGHT:
        raise ImpossibleCalendar(Impossible.OUTSIDE_DAY, text[:40])
    return minutes


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
