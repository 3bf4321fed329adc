"""Which calendars there can be, and what is said of the others."""

from __future__ import annotations

from datetime import date

import pytest

from core.domain.calendars.calendar import (
    ALWAYS,
    Calendar,
    Impossible,
    ImpossibleCalendar,
    OwnDay,
    calendar_from,
    check,
    document,
    hours_from,
    hours_text,
)

USUAL = ("09:00-13:00, 14:00-18:00",) * 5 + ("", "")


def calendar(
    week: tuple[str, ...] = USUAL,
    zone: str = "Europe/Madrid",
    country: str | None = None,
    region: str | None = None,
    own_days: tuple[dict[str, str], ...] = (),
) -> Calendar:
    return calendar_from(zone=zone, week=week, country=country, region=region, own_days=own_days)


def why(**wrong: object) -> Impossible:
    with pytest.raises(ImpossibleCalendar) as raised:
        calendar(**wrong)  # type: ignore[arg-type]
    return raised.value.why


def test_hours_are_read_and_written_alike() -> None:
    assert hours_text(hours_from(" 9:00 – 13:00,14:00-24:00 ")) == "09:00-13:00, 14:00-24:00"  # noqa: RUF001


def test_windows_and_days_come_in_order_however_they_were_written() -> None:
    made = calendar(
        ("14:00-18:00, 09:00-13:00", *USUAL[1:]),
        own_days=(
            {"day": "2026-12-31", "hours": ""},
            {"day": "2026-01-02", "hours": "10:00-11:00"},
        ),
    )
    assert hours_text(made.week[0]) == "09:00-13:00, 14:00-18:00"
    assert [own.day for own in made.own_days] == [date(2026, 1, 2), date(2026, 12, 31)]


def test_a_calendar_survives_its_document() -> None:
    made = calendar(country="ES", region="MD", own_days=({"day": "2026-12-24", "name": "Eve"},))
    assert calendar_from(**document(made)) == made  # type: ignore[arg-type]


def test_windows_that_touch_do_not_overlap() -> None:
    assert hours_text(calendar(("09:00-12:00, 12:00-15:00", *USUAL[1:])).week[0])


def test_round_the_clock_is_a_calendar() -> None:
    assert check(ALWAYS) == ALWAYS


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"week": ("",) * 7}, Impossible.NEVER_OPENS),
        ({"week": USUAL[:6]}, Impossible.WEEKDAYS),
        ({"week": ("18:00-09:00", *USUAL[1:])}, Impossible.BACKWARDS),
        ({"week": ("09:00-09:00", *USUAL[1:])}, Impossible.BACKWARDS),
        ({"week": ("09:00-13:00, 12:59-18:00", *USUAL[1:])}, Impossible.OVERLAP),
        ({"week": ("09:00-24:01", *USUAL[1:])}, Impossible.OUTSIDE_DAY),
        ({"week": ("09:00", *USUAL[1:])}, Impossible.NOT_A_TIME),
        ({"week": ("9-18", *USUAL[1:])}, Impossible.NOT_A_TIME),
        ({"week": ("09:75-18:00", *USUAL[1:])}, Impossible.NOT_A_TIME),
        ({"week": ("\u0660\u0669:00-18:00", *USUAL[1:])}, Impossible.NOT_A_TIME),
        (
            {"week": (", ".join(f"{h:02}:00-{h:02}:30" for h in range(13)), *USUAL[1:])},
            Impossible.TOO_MANY_WINDOWS,
        ),
        ({"zone": "Europe/Nowhere"}, Impossible.UNKNOWN_ZONE),
        ({"zone": "../../etc/passwd"}, Impossible.UNKNOWN_ZONE),
        ({"zone": ""}, Impossible.UNKNOWN_ZONE),
        ({"country": "ZZ"}, Impossible.UNKNOWN_COUNTRY),
        ({"country": "ES", "region": "BY"}, Impossible.UNKNOWN_REGION),
        ({"region": "BY"}, Impossible.REGION_ALONE),
        ({"own_days": ({"day": "2026-02-30"},)}, Impossible.NOT_A_DATE),
        ({"own_days": ({"day": "2026-02-03"}, {"day": "2026-02-03"})}, Impossible.REPEATED_DAY),
        ({"own_days": ({"day": "1066-10-14"},)}, Impossible.YEAR_OUT_OF_RANGE),
    ],
)
def test_impossible_calendars_are_refused_with_their_reason(
    wrong: dict[str, object], reason: Impossible
) -> None:
    assert why(**wrong) is reason


def test_an_error_names_the_part_that_is_wrong() -> None:
    with pytest.raises(ImpossibleCalendar, match=r"overlap \(monday: 09:00-13:00, 12:00-18:00\)"):
        calendar(("12:00-18:00, 09:00-13:00", *USUAL[1:]))


def test_a_calendar_has_a_thousand_days_of_its_own_at_most() -> None:
    days = tuple(OwnDay(day=date.fromordinal(730_000 + number)) for number in range(1001))
    with pytest.raises(ImpossibleCalendar) as raised:
        check(Calendar(zone="UTC", week=ALWAYS.week, own_days=days))
    assert raised.value.why is Impossible.TOO_MANY_DAYS
