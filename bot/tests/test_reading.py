"""How short answers are read: urgency, languages, numbers, what was said along."""

from __future__ import annotations

import pytest

from actions.language import wanted_language
from actions.status import asked_number, told
from actions.ticket_form import read_urgency, said_along, subject_of


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Low", "low"),
        ("not urgent", "low"),
        ("no es urgente", "low"),
        ("no hay prisa", "low"),
        ("Normal", "normal"),
        ("media", "normal"),
        ("alta", "high"),
        ("pretty important", "high"),
        ("URGENT!!", "urgent"),
        ("muy urgente", "urgent"),
        ("no puedo trabajar", "urgent"),
        ("purple", None),
        ("", None),
    ],
)
def test_urgency(text: str, urgency: str | None) -> None:
    assert read_urgency(text) == urgency


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("en español por favor", "es"),
        ("in Spanish please", "es"),
        ("can we talk in English", "en"),
        ("inglés", "en"),
        ("no hablo inglés", "es"),
        ("I don't speak Spanish", "en"),
        ("I do not understand Spanish, English please", "en"),
        ("English or Spanish", None),
        ("in French please", None),
    ],
)
def test_the_language_asked_for(text: str, language: str | None) -> None:
    assert wanted_language(text) == language


@pytest.mark.parametrize(
    ("text", "number"),
    [("status of #1042", 1042), ("1042?", 1042), ("v1.2", None), ("my ticket", None)],
)
def test_the_ticket_asked_for(text: str, number: int | None) -> None:
    assert asked_number(text) == number


def test_a_ticket_is_told_in_one_line() -> None:
    ticket = {"number": 7, "status": "on_hold", "subject": "A\nB", "updated_at": "2026-05-01T10:00"}
    assert told(ticket, "en") == "#7: on hold (A B), last change 2026-05-01"
    assert told({"number": 7, "status": "odd"}, "es") == "#7: odd"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("I want to report a problem: the tap leaks water", "the tap leaks water"),
        ("open a ticket because my chair is broken", "my chair is broken"),
        ("quiero reportar un problema, el grifo pierde agua", "el grifo pierde agua"),
        ("abrir una incidencia - no hay luz aquí", "no hay luz aquí"),
        ("I want to report a problem", None),
        ("open a ticket, please", None),
    ],
)
def test_what_is_said_along_with_the_wish_to_report(text: str, rest: str | None) -> None:
    assert said_along(text) == rest


def test_a_subject_is_one_short_line() -> None:
    assert subject_of("Chair broken\nIt fell apart.") == "Chair broken"
    long = subject_of("word " * 40)
    assert len(long) <= 80 and long.endswith("word…")
