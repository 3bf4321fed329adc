"""What a visitor and the assistant say to each other, from the chat to the model and back."""

from __future__ import annotations

import pytest

from tests.support.staff import Staff, number_told
from tests.support.visitor import Visitor, labels, texts


async def test_a_question_is_answered_from_the_knowledge_base(visitor: Visitor) -> None:
    answer = await visitor.ask("How do I connect to the VPN?")
    assert [message["from"] for message in answer] == ["bot"]
    assert "**Connect to the VPN**" in texts(answer)
    assert "/help/" in texts(answer)
    assert "Did this help?" in texts(answer)
    assert labels(answer) == ["Yes", "No"]


async def test_una_pregunta_se_responde_en_su_idioma(visitante: Visitor) -> None:
    answer = await visitante.ask("¿Cómo me conecto a la VPN?")
    assert "**Conectarse a la VPN**" in texts(answer)
    assert "¿Le ha servido?" in texts(answer)
    assert labels(answer) == ["Sí", "No"]
    assert "Me alegro" in texts(await visitante.choose("Sí"))


async def test_an_article_that_did_not_help_leads_to_one_other_then_to_a_human(
    visitor: Visitor, ana: Staff
) -> None:
    first = await visitor.ask("How do I connect to the VPN?")
    second = await visitor.choose("No")
    assert labels(second) == ["Yes", "No"]
    assert texts(first) not in texts(second)
    number = number_told(await visitor.choose("No"))
    ticket = await ana.ticket(number)
    assert ticket["reason"] == "not_helped"
    assert ticket["status"] == "new"
    assert ticket["subject"] == "How do I connect to the VPN?"


async def test_a_button_counts_once(visitor: Visitor) -> None:
    await visitor.ask("How do I connect to the VPN?")
    await visitor.choose("Yes")
    again = [c for m in await visitor.messages() for c in m["choices"] if c["label"] == "No"]
    response = await visitor.http.post(
        "/chat/choices",
        json={"id": "5f0c8f5e-6d0b-4b7e-9d39-3f3f0b3c8a11", "choice": again[-1]["id"]},
        headers=visitor.headers,
    )
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("words", "reason", "priority"),
    [
        ("I want to talk to a human", "asked_for_human", "normal"),
        ("Quiero hablar con una persona", "asked_for_human", "normal"),
        ("You are a useless idiot bot", "angry", "high"),
        ("There is a fire in the server room", "emergency", "urgent"),
        ("Hay un incendio en la sala de servidores", "emergency", "urgent"),
        ("I clicked on a phishing link and typed my password", "security_incident", "urgent"),
    ],
)
async def test_what_must_not_be_missed_reaches_a_human_at_once(
    visitor: Visitor, ana: Staff, words: str, reason: str, priority: str
) -> None:
    number = number_told(await visitor.ask(words))
    ticket = await ana.ticket(number)
    assert (ticket["reason"], ticket["priority"]) == (reason, priority)
    assert ticket["summary"]


async def test_the_assistant_is_silent_once_a_human_was_called(visitor: Visitor) -> None:
    await visitor.ask("I want to talk to a human")
    for words in ("How do I connect to the VPN?", "hello"):
        await visitor.say(words)
    other = await Visitor.arrive(visitor.http)
    await other.ask("hello")  # asked later and answered: an answer here would have come by now
    said = [message["from"] for message in await visitor.messages()]
    assert said == ["customer", "system", "customer", "customer"]


async def test_the_language_follows_the_wish_and_the_words(visitor: Visitor) -> None:
    assert "Hello" in texts(await visitor.ask("hello"))
    assert "español" in texts(await visitor.ask("can we speak Spanish please"))
    assert labels(await visitor.ask("¿Cómo reservo una sala?")) == ["Sí", "No"]
    assert "English" in texts(await visitor.ask("in English please"))


async def test_a_problem_report_becomes_a_ticket_and_its_status_is_told(
    visitor: Visitor, ana: Staff
) -> None:
    await visitor.ask("I want to report a problem")
    assert labels(await visitor.ask("My screen flickers")) == [
        "Low",
        "Normal",
        "High",
        "Urgent: I cannot work",
    ]
    await visitor.choose("High")
    assert labels(await visitor.ask("since yesterday")) == ["Send it", "Change something", "Cancel"]
    number = number_told(await visitor.choose("Send it"))
    ticket = await ana.ticket(number)
    assert (ticket["reason"], ticket["priority"]) == ("problem_reported", "high")
    assert "flickers" in ticket["subject"]
    assert "since yesterday" in ticket["summary"]

    await ana.do(number, "return-to-bot")
    status = texts(await visitor.ask("What is the status of my ticket?"))
    assert str(number) in status


async def test_a_report_can_be_dropped_half_way(visitor: Visitor) -> None:
    await visitor.ask("I want to report a problem")
    assert "Nothing was sent" in texts(await visitor.ask("cancel"))
    assert "Connect to the VPN" in texts(await visitor.ask("How do I connect to the VPN?"))


async def test_what_nobody_wrote_an_article_about_is_admitted(visitor: Visitor) -> None:
    answer = await visitor.ask("What is the boiling point of tungsten on Jupiter?")
    assert "human" in texts(answer) or "colleague" in texts(answer)
    assert [m["from"] for m in answer if m["from"] == "customer"] == []


async def test_quick_successions_are_answered_together_and_in_order(visitor: Visitor) -> None:
    await visitor.say("Hello")
    last = await visitor.say("How do I connect to the VPN?")
    await visitor.answers_after(last)
    said = [m for m in await visitor.messages() if m["from"] == "customer"]
    assert [m["text"] for m in said] == ["Hello", "How do I connect to the VPN?"]
