"""Moments as requesters read them: in their language and time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location

from core.domain.calendars.calendar import time_zones
from core.domain.languages import spoken
from core.texts import text

_DAY = "EEEE, d MMMM"
"""Date fields of Unicode TR 35, arranged by each language as it is used to."""


def known_zone(name: str | None) -> str | None:
    """Return `name` where it is a time zone."""
    return name if name in time_zones() else None


def day_in_words(at: datetime, zone: str, language: str | None) -> str:
    """Return the day of `at` in `zone`, such as "Monday, 2 March"."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return format_date(day, text(language, _DAY), locale=spoken(language))


def time_in_words(at: datetime, zone: str, language: str | None, *, names_zone: bool) -> str:
    """Return the time of day of `at` in `zone`, with the zone where `names_zone`."""
    locale = spoken(language)
    clock = ZoneInfo(zone)
    told = format_time(at.astimezone(clock), "HH:mm", locale=locale)
    if not names_zone:
        return told
    place = "UTC" if zone == "UTC" else get_timezone_location(clock, locale=locale)
    return f"{told} ({place})"
