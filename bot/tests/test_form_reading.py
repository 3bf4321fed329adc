"""How answers to typed fields are read; no model, no server."""

from __future__ import annotations

from datetime import date

import pytest

from actions.form.dates import read_day
from actions.form.fields import Field

TODAY = date(2030, 3, 15)  # a Friday


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2030-04-01", "2030-04-01"),
        ("by 1/4/2030 please", "2030-04-01"),
        ("4/25/30", "2030-04-25"),
        ("1.4.", "2030-04-01"),
        ("1 April", "2030-04-01"),
        ("April 1st, 2031", "2031-04-01"),
        ("on the 2nd of February", "2031-02-02"),
        ("el 1 de abril de 2031", "2031-04-01"),
        ("15 de marzo", "2030-03-15"),
        ("14 de marzo", "2031-03-14"),
        ("tomorrow", "2030-03-16"),
        ("pasado mañana", "2030-03-17"),
        ("hoy mismo", "2030-03-15"),
        ("in two weeks", None),
        ("in 2 weeks", "2030-03-29"),
        ("dentro de 10 días", "2030-03-25"),
        ("next Monday", "2030-03-18"),
        ("el viernes", "2030-03-22"),
        ("31/2/2030", None),
        ("2030-13-01", None),
        ("soon", None),
        ("9999999-99-99", None),
    ],
)
def test_a_day_is_read_as_people_write_it(said: str, day: str | None) -> None:
    found = read_day(said, TODAY)
    assert (found and found.isoformat()) == day


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("3", "3"),
        ("we need 12 of them", "12"),
        ("2,5", "2.5"),
        ("-4.25", "-4.25"),
        ("3 or 4", None),
        ("some", None),
        ("1.2.3", None),
        ("9" * 40, None),
    ],
)
def test_a_number_is_read_where_there_is_one(said: str, number: str | None) -> None:
    assert Field(name="count", kind="number").read(said) == number


def test_an_answer_in_words_is_no_longer_than_its_field_takes() -> None:
    field = Field.from_json({"name": "why", "kind": "text", "most": 10})
    assert field.read("  because it is slow") == "because it"
