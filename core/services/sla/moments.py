"""Moments as requesters read them: in their language and time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location

from core.domain.calendars.calendar import time_zones
from core.texts import LANGUAGES


def known_zone(name: str | None) -> str | None:
    """Return `name` where it is a time zone."""
    return name if name in time_zones() else None


def day_in_words(at: datetime, zone: str, language: str | None) -> str:
    """Return the day of `at` in `zone`, such as "Monday, 2 March"."""
    spoken = _spoken(language)
    pattern = "EEEE, d MMMM" if spoken == "en" else "EEEE d 'de' MMMM"
    return format_date(at.astimezone(ZoneInfo(zone)).date(), pattern, locale=spoken)


def time_in_words(at: datetime, zone: str, language: str | None, *, names_zone: bool) -> str:
    """Return the time of day of `at` in `zone`, with the zone where `names_zone`."""
    spoken = _spoken(language)
    clock = ZoneInfo(zone)
    told = format_time(at.astimezone(clock), "HH:mm", locale=spoken)
    if not names_zone:
        return told
    place = "UTC" if zone == "UTC" else get_timezone_location(clock, locale=spoken)
    return f"{told} ({place})"


def _spoken(language: str | None) -> str:
    return language if language in LANGUAGES else "en"
