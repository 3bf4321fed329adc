"""Moments as agents read them: in their language and time zone, short, with the exact one near."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta


@lru_cache(maxsize=64)
def zone(name: str | None) -> ZoneInfo:
    """Return the time zone that a browser named; UTC where it is not one."""
    try:
        return ZoneInfo(name or "UTC")
    except (LookupError, ValueError, OSError):  # unknown; a file that is no zone; a folder
        return ZoneInfo("UTC")


@lru_cache(maxsize=2048)  # a page of the queue tells hundreds, and is drawn again at every change
def _in_full(at: datetime, zone: ZoneInfo, language: str) -> str:
    return format_datetime(at.astimezone(zone), "long", locale=language)


class Times:
    """Tells moments to one reader."""

    def __init__(self, language: str, zone_name: str | None, now: datetime | None = None) -> None:
        self._language = language
        self._zone = zone(zone_name)
        self._now = now or datetime.now(UTC)

    def exact(self, at: datetime) -> str:
        """Return date and time in full."""
        return _in_full(at, self._zone, self._language)

    def field(self, at: datetime) -> str:
        """Return a moment as a form's field for date and time has it."""
        return at.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M")

    def clock(self, at: datetime) -> str:
        """Return the time of day."""
        return format_time(at.astimezone(self._zone), "HH:mm", locale=self._language)

    def ago(self, at: datetime) -> str:
        """Return how long ago, in one short unit; the date when it is over a week."""
        passed = self._now - at
        if passed.days >= 7:
            return self.day(self.day_of(at))
        return format_timedelta(
            max(int(passed.total_seconds()), 60),
            granularity="minute",
            threshold=1.2,
            format="short",
            locale=self._language,
        )

    def exactly_ago(self, at: datetime) -> str:
        """Return how long ago in words, to the second where it is that short."""
        return format_timedelta(
            min(at - self._now, timedelta(seconds=-1)), add_direction=True, locale=self._language
        )

    def span(self, seconds: float) -> str:
        """Return a length of time in one short unit, a minute at least."""
        return format_timedelta(
            max(int(seconds), 60),
            granularity="minute",
            threshold=1.5,
            format="short",
            locale=self._language,
        )

    def until(self, at: datetime) -> float:
        """Return how many seconds are left until a moment; less than nothing once it is past."""
        return (at - self._now).total_seconds()

    def day_of(self, at: datetime) -> date:
        """Return the reader's day of a moment."""
        return at.astimezone(self._zone).date()

    def day(self, day: date) -> str:
        """Return a day with its name, and the year only where it is not this one."""
        pattern = "EEE d MMM" if day.year == self._now.astimezone(self._zone).year else "d MMM y"
        return format_date(day, pattern, locale=self._language)

    def moment(self, iso: str) -> str:
        """Return a moment that histories and notices keep, by the reader's clock, with its day."""
        at = datetime.fromisoformat(iso)
        return f"{self.day(self.day_of(at))} {self.clock(at)}"

    def days_ago(self, day: date) -> int:
        """Return how many days before the reader's today `day` is."""
        return (self._now.astimezone(self._zone).date() - day).days
