"""Business time in cases one can check by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.domain.calendars.arithmetic import BusinessHours, TooFarAhead
from core.domain.calendars.calendar import ALWAYS, calendar_from

HOUR = timedelta(hours=1)
OFFICE = ("09:00-13:00, 14:00-18:00",) * 5 + ("", "")


def madrid(
    week: tuple[str, ...] = OFFICE, own_days: tuple[dict[str, str], ...] = ()
) -> BusinessHours:
    return BusinessHours(
        calendar_from(zone="Europe/Madrid", week=week, country="ES", region="MD", own_days=own_days)
    )


def at(text: str, zone: str = "Europe/Madrid", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def test_lunch_nights_and_weekends_do_not_count() -> None:
    # Friday at noon to Monday at ten.
    assert madrid().between(at("2026-03-06T12:00"), at("2026-03-09T10:00")) == 6 * HOUR


def test_a_public_holiday_of_the_region_is_closed() -> None:
    # 2 May, a Saturday in 2026, is Madrid's own; Good Friday is everybody's.
    hours = madrid(("10:00-12:00",) * 7)
    assert not hours.is_open(at("2026-05-02T11:00"))
    assert not hours.is_open(at("2026-04-03T11:00"))
    assert hours.is_open(at("2026-05-09T11:00"))


def test_a_day_of_its_own_goes_before_holiday_and_weekday() -> None:
    hours = madrid(own_days=({"day": "2026-04-03", "hours": "10:00-11:00"},))
    assert hours.is_open(at("2026-04-03T10:30"))
    assert not hours.is_open(at("2026-04-03T11:00"))


def test_an_hour_that_daylight_saving_leaves_out_is_not_worked() -> None:
    hours = madrid(("00:00-06:00",) * 7)
    assert hours.between(at("2026-03-29T00:00"), at("2026-03-29T12:00")) == 5 * HOUR


def test_an_hour_that_daylight_saving_repeats_is_worked_twice() -> None:
    hours = madrid(("00:00-06:00",) * 7)
    assert hours.between(at("2026-10-25T00:00"), at("2026-10-25T12:00")) == 7 * HOUR


def test_time_that_ends_with_the_hours_ends_at_closing() -> None:
    assert madrid().later(at("2026-03-06T17:00"), HOUR) == at("2026-03-06T18:00")
    assert madrid().later(at("2026-03-06T17:00"), 2 * HOUR) == at("2026-03-09T10:00")


def test_no_time_later_is_now_even_when_closed() -> None:
    assert madrid().later(at("2026-03-07T17:00"), timedelta(0)) == at("2026-03-07T17:00")


def test_the_next_opening_skips_what_is_closed() -> None:
    assert madrid().next_opening(at("2026-04-01T18:00")) == at("2026-04-06T09:00")
    assert madrid().next_opening(at("2026-04-06T10:00")) == at("2026-04-06T10:00")


def test_business_days_keep_the_time_of_day() -> None:
    assert madrid().days_later(at("2026-03-06T16:00"), 1) == at("2026-03-09T16:00")
    assert madrid().days_later(at("2026-04-01T16:00"), 3) == at("2026-04-08T16:00")


def test_business_days_that_begin_outside_hours_begin_at_the_next_opening() -> None:
    assert madrid().days_later(at("2026-03-07T16:00"), 1) == at("2026-03-10T09:00")
    assert madrid().days_later(at("2026-03-07T16:00"), 0) == at("2026-03-09T09:00")


def test_round_the_clock_is_plain_time() -> None:
    always = BusinessHours(ALWAYS)
    since = datetime(2025, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)
    assert always.later(since, 48 * HOUR) == since + 48 * HOUR
    assert always.between(since, since + 9000 * HOUR) == 9000 * HOUR


def test_a_day_that_a_zone_left_out_has_no_hours() -> None:
    hours = BusinessHours(
        calendar_from(
            zone="Pacific/Apia", week=("09:00-17:00",) * 7, country=None, region=None, own_days=()
        )
    )
    since, until = at("2011-12-29T00:00", "Pacific/Apia"), at("2012-01-01T00:00", "Pacific/Apia")
    assert hours.between(since, until) == 16 * HOUR  # 29 and 31 December


def test_more_time_than_fifty_years_hold_is_refused() -> None:
    hours = BusinessHours(
        calendar_from(
            zone="UTC",
            week=("10:00-11:00",) + ("",) * 6,
            country="ES",
            region=None,
            own_days=(),
        )
    )
    with pytest.raises(TooFarAhead):
        hours.later(at("2026-01-01T00:00"), 10_000 * HOUR)


def test_stretches_are_cut_at_both_ends() -> None:
    found = madrid().windows(at("2026-03-06T12:00"), at("2026-03-06T15:00"))
    assert found == [
        (at("2026-03-06T12:00"), at("2026-03-06T13:00")),
        (at("2026-03-06T14:00"), at("2026-03-06T15:00")),
    ]
    assert madrid().windows(at("2026-03-07T00:00"), at("2026-03-08T00:00")) == []
    assert madrid().windows(at("2026-03-09T12:00"), at("2026-03-09T10:00")) == []


def test_stretches_add_up_to_the_time_between() -> None:
    since, until = at("2025-12-20T11:00"), at("2026-04-10T17:00")
    found = madrid().windows(since, until)
    assert sum((closes - opens for opens, closes in found), timedelta()) == madrid().between(
        since, until
    )
