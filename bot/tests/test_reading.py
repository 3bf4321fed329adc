"""How short answers are read: urgency, languages, numbers, what was said along."""

from __future__ import annotations

import pytest

from actions.follow_up import Finding, chosen
from actions.form.beginning import said_along
from actions.form.fields import read_urgency
from actions.handed_back import read_summary
from actions.knowledge import Found
from actions.language import wanted_language
from actions.tickets import addition_in, asked_number, told
from actions.topics import joints
from actions.turn import Topic
from actions.wording import is_question, refers_back


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
    ("kind", "text", "rest"),
    [
        ("incident", "I want to report a problem: the tap leaks water", "the tap leaks water"),
        ("incident", "open a ticket because my chair is broken", "my chair is broken"),
        ("incident", "quiero reportar un problema, el grifo pierde agua", "el grifo pierde agua"),
        ("incident", "abrir una incidencia - no hay luz aquí", "no hay luz aquí"),
        ("incident", "raise a ticket for the broken door lock",
         "raise a ticket for the broken door lock"),
        ("incident", "I want to report a problem", None),
        ("incident", "open a ticket, please", None),
        ("request", "I need a new mouse", "I need a new mouse"),
        ("request", "necesito un portátil nuevo", "necesito un portátil nuevo"),
        ("request", "I want to make a request", None),
        ("request", "quiero hacer una solicitud", None),
    ],
)  # fmt: skip
def test_what_is_said_along_with_the_wish_for_a_form(
    kind: str, text: str, rest: str | None
) -> None:
    assert said_along(text, kind) == rest


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("add the serial number X12 to ticket 1042", "the serial number X12"),
        ("put in ticket 1042 i am in room 3", "i am in room 3"),
        ("update my ticket with this: it is the second printer", "it is the second printer"),
        ("dile al técnico del ticket 1042 que estoy disponible", "estoy disponible"),
        ("añade el número de serie a mi ticket", "el número de serie"),
        ("add a note to ticket 2231", None),
        ("add this to my ticket", None),
        ("agrega un comentario al ticket 88", None),
    ],
)
def test_what_is_to_be_added_to_a_ticket(text: str, added: str | None) -> None:
    assert addition_in(text) == added


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("how do I print", True),
        ("cómo imprimo", True),
        ("¿se puede?", True),
        ("when I open Excel it crashes", False),
        ("cuando abro Excel se cierra", False),
        ("que se rompió la silla", False),
        ("my VPN is slow", False),
    ],
)
def test_what_asks_something(text: str, asks: bool) -> None:
    assert is_question(text) is asks


@pytest.mark.parametrize(
    ("text", "refers"),
    [
        ("and on the Mac?", True),
        ("¿y en el móvil?", True),
        ("cuánto tarda eso", True),
        ("vpn mac", False),
        ("my VPN is slow", False),
    ],
)
def test_what_stands_on_something_said_before(text: str, refers: bool) -> None:
    assert refers_back(text) is refers


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("my VPN is down and I also need a mouse pad", "my VPN is down",
         "I need a mouse pad"),
        ("How do I print? And how do I scan a page?", "How do I print?", "how do I scan a page?"),
        ("no va la VPN y además quiero un ratón nuevo", "no va la VPN", "quiero un ratón nuevo"),
    ],
)  # fmt: skip
def test_where_a_message_turns_to_another_matter(text: str, first: str, second: str) -> None:
    joint = joints(text)[0]
    assert (joint.first, joint.second) == (first, second)


@pytest.mark.parametrize(
    "text",
    ["the printer and the scanner are broken", "it also happens on wifi", "My VPN is slow. " * 60],
)
def test_where_there_is_no_other_matter(text: str) -> None:
    assert joints(text) == []


def test_no_message_takes_long_to_be_taken_apart() -> None:
    """A pattern that backtracks would hang here; the run's own time limit tells."""
    for unit in ("and ", "y también ", "? ", "add to ticket ", "no, "):
        text = unit * (4000 // len(unit))
        joints(text), addition_in(text), is_question(text), said_along(text, "incident")


def found(outcome: str, *articles: tuple[str, float]) -> Found:
    rows = [{"article_id": name, "title": name, "score": score} for name, score in articles]
    return Found(outcome=outcome, articles=rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("alone", "together", "article"),
    [
        (found("hand_off"), found("answer", ("mac", 0.9)), "mac"),
        (found("answer", ("mouse", 0.9)), found("answer", ("vpn", 0.7)), "mouse"),
        (found("answer", ("mouse", 0.9)), found("offer", ("vpn", 0.95)), "mouse"),
        (found("offer", ("mouse", 0.5)), found("answer", ("vpn", 0.9)), "mouse"),
        (found("offer", ("mouse", 0.5)), found("offer", ("mac", 0.6)), "mac"),
        (found("offer", ("mouse", 0.6)), found("offer", ("mac", 0.5)), "mouse"),
    ],
)
def test_the_better_finding_counts(alone: Found, together: Found, article: str) -> None:
    topic = Topic(question="q")
    best = chosen(
        Finding(found=alone, topic=topic), Finding(found=together, topic=topic), shown="vpn"
    )
    assert best.found.articles[0]["article_id"] == article and not best.is_same_article


def test_a_follow_up_takes_the_place_of_another_or_adds_to_it() -> None:
    mac = Topic(question="how do I use the VPN").followed_by("and on the Mac?")
    assert mac.followed_by("and on Linux?").words == "how do I use the VPN and on Linux?"
    assert mac.followed_by("is it fast").words == "how do I use the VPN and on the Mac? is it fast"


def test_a_summary_is_read_as_the_desk_writes_it() -> None:
    read = read_summary("Ticket #7: Slow: very\nAna: Restart it: now.\nBen López: Done?")
    assert read is not None and (read.number, read.subject, read.who) == (
        7,
        "Slow: very",
        "Ben López",
    )
    assert read.said[0] == ("Ana", "Restart it: now.")
    for other in (None, "", "free text", 7):
        assert read_summary(other) is None


@pytest.mark.parametrize("text", ["no, something else", "no, otra cosa", "hello. by the way"])
def test_a_word_that_announces_more_is_no_second_matter(text: str) -> None:
    assert joints(text) == []
