"""Mentions and quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidInput
from core.domain.notification import QuietHours, mentions
from core.services.notifications.reading import Wishes


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("@Ana can you look?", ["ana"]),
        ("ask @ana and @bo.li, or @ana.", ["ana", "bo.li"]),
        ("@ana@example.org please", ["ana@example.org"]),
        ("write to ana@example.org", []),
        ("(@josé) ¿puedes?", ["josé"]),
        ("@ nobody, @@x", []),
    ],
)
def test_a_note_mentions_whom_it_names_with_an_at(words: str, named: list[str]) -> None:
    assert mentions(words) == named


def quiet(starts: str, ends: str, zone: str = "Europe/Madrid") -> QuietHours:
    return QuietHours(
        starts=time.fromisoformat(starts), ends=time.fromisoformat(ends), zone=ZoneInfo(zone)
    )


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (quiet("22:00", "07:00"), "2026-03-10T23:30:00+01:00", "2026-03-11T07:00:00+01:00"),
        (quiet("22:00", "07:00"), "2026-03-10T03:00:00+01:00", "2026-03-10T07:00:00+01:00"),
        (quiet("22:00", "07:00"), "2026-03-10T12:00:00+01:00", "2026-03-10T12:00:00+01:00"),
        (quiet("13:00", "14:00"), "2026-03-10T13:59:00+01:00", "2026-03-10T14:00:00+01:00"),
        # The night in which the clock goes forward.
        (quiet("22:00", "07:00"), "2026-03-29T01:30:00+01:00", "2026-03-29T07:00:00+02:00"),
    ],
)
def test_quiet_hours_put_mail_off_to_their_end(
    hours: QuietHours, moment: str, expected: str
) -> None:
    assert hours.after(at(moment)) == at(expected)


@given(
    st.times(),
    st.times(),
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
)
def test_after_quiet_hours_it_is_not_quiet_any_more(
    starts: time, ends: time, moment: datetime
) -> None:
    if starts.replace(second=0, microsecond=0) == ends.replace(second=0, microsecond=0):
        return
    hours = QuietHours(
        starts=starts.replace(second=0, microsecond=0),
        ends=ends.replace(second=0, microsecond=0),
        zone=ZoneInfo("America/Bogota"),
    )
    end = hours.after(moment.replace(tzinfo=UTC))
    assert hours.after(end) == end
    assert timedelta() <= end - moment.replace(tzinfo=UTC) <= timedelta(days=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Europe/Nowhere"},
        {"time_zone": "../etc/passwd"},
        {"quiet_from": time(22)},
        {"quiet_from": time(22), "quiet_until": time(22)},
    ],
)
def test_wishes_that_cannot_be_kept_are_refused(wrong: dict[str, time | str]) -> None:
    with pytest.raises(InvalidInput):
        Wishes(**wrong)  # type: ignore[arg-type]
