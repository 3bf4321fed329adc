"""The form in conversation with the real assistant, in both languages."""

from __future__ import annotations

import pytest
from assistant_process import Assistant, Conversation
from desk_double import KnowledgeServer

YES = {"en": "yes, send it", "es": "sí, envíalo"}


@pytest.mark.parametrize(
    ("language", "start", "what", "urgency", "since"),
    [
        ("en", "I want to report a problem", "The chair in room 3 broke", "very urgent", "Monday"),
        ("es", "quiero reportar un problema", "Se rompió una silla", "muy urgente", "el lunes"),
    ],
)
def test_a_problem_report_is_shown_and_then_becomes_a_ticket(
    assistant: Assistant, language: str, start: str, what: str, urgency: str, since: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    assert len(talk.say(what).choices) == 4
    talk.say(urgency)
    summary = talk.say(since)
    assert summary.commands == [] and what in summary.said and since in summary.said
    send, change, cancel = summary.choices
    assert (change["entities"]["value"], cancel["intent"]) == ("change", "cancel")
    ticket = talk.press(send).args("open_ticket")
    assert ticket["kind"] == "incident" and ticket["subject"] == ticket["description"] == what
    assert (ticket["urgency"], ticket["since"]) == ("urgent", since)


@pytest.mark.parametrize(
    ("language", "start", "what", "high"),
    [
        ("en", "I want to make a request", "A second monitor", "High"),
        ("es", "quiero hacer una solicitud", "Un segundo monitor", "Alta"),
    ],
)
def test_a_request_is_not_asked_since_when(
    assistant: Assistant, language: str, start: str, what: str, high: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.press(next(c for c in talk.say(what).choices if c["label"] == high))
    ticket = talk.say(YES[language]).args("open_ticket")
    assert (ticket["kind"], ticket["urgency"], ticket["since"]) == ("request", "high", None)


def test_what_is_said_with_the_wish_to_report_is_not_asked_again(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("I want to report a problem: the coffee machine is leaking water")
    assert "How urgent" in reply.said
    talk.say("low")
    talk.say("since yesterday")
    ticket = talk.say("send it").args("open_ticket")
    assert ticket["description"] == "the coffee machine is leaking water"


@pytest.mark.parametrize(
    ("language", "start", "what", "wrong", "correction", "asked_again"),
    [
        ("en", "open a ticket", "My laptop does not start", "low", "no, it is the other laptop",
         "Since when"),
        ("es", "abrir un ticket", "Mi portátil no arranca", "baja", "no, es el otro portátil",
         "Desde cuándo"),
    ],
)  # fmt: skip
def test_a_correction_is_taken_and_the_question_put_again(
    assistant: Assistant,
    language: str,
    start: str,
    what: str,
    wrong: str,
    correction: str,
    asked_again: str,
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.say(what)
    talk.say(wrong)
    assert asked_again in talk.say(correction).said
    talk.say("since yesterday")
    summary = talk.say(
        {"en": "change the urgency to high", "es": "cambia la urgencia a alta"}[language]
    )
    assert {"en": "high", "es": "alta"}[language] in summary.said
    ticket = talk.say(YES[language]).args("open_ticket")
    assert ticket["urgency"] == "high" and what in ticket["description"]
    assert correction.removeprefix("no, ") in ticket["description"]


@pytest.mark.parametrize(
    ("language", "start", "what", "normal", "back"),
    [
        ("en", "open a ticket", "The fan is loud", "normal", "go back"),
        ("es", "abrir un ticket", "El ventilador hace ruido", "normal", "atrás"),
    ],
)
def test_one_can_go_back(
    assistant: Assistant, language: str, start: str, what: str, normal: str, back: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.say(what)
    talk.say(normal)
    assert len(talk.say(back).choices) == 4


def test_a_field_is_changed_by_buttons(assistant: Assistant) -> None:
    talk = _filled(assistant.talk())
    change = talk.press(
        {"intent": "form_answer", "entities": {"field": "confirm", "value": "change"}}
    )
    assert [choice["label"] for choice in change.choices] == ["What", "Urgency", "Since"]
    assert "Since when" in talk.press(change.choices[2]).said
    assert "last week" in talk.say("last week").said
    assert talk.say("yes").args("open_ticket")["since"] == "last week"


def test_the_form_takes_any_text(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    talk.say('/restart {"hello": 1}\n\n*yes* 👍')
    talk.say("normal")
    talk.say("no idea")
    ticket = talk.say("ok").args("open_ticket")
    assert ticket["description"] == '/restart {"hello": 1}\n\n*yes* 👍'
    assert ticket["since"] == "no idea"


@pytest.mark.parametrize(
    ("language", "start", "what", "question", "article", "goes_on"),
    [
        ("en", "open a ticket", "My chair broke", "how do I connect to the vpn?", "vpn-connect",
         "How urgent"),
        ("es", "abrir un ticket", "Se rompió mi silla", "¿cómo cambio la contraseña?",
         "contrasena-restablecer", "Qué urgencia"),
    ],
)  # fmt: skip
def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(
    assistant: Assistant,
    language: str,
    start: str,
    what: str,
    question: str,
    article: str,
    goes_on: str,
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.say(what)
    reply = talk.say(question)
    assert reply.args("answer")["article_id"] == article and goes_on in reply.said
    helped = talk.press({"intent": "helped", "entities": {"article_id": article}})
    assert goes_on in helped.said
    talk.say("normal")
    talk.say("ayer")
    assert talk.say(YES[language]).args("open_ticket")["description"] == what


def test_a_question_without_an_answer_goes_into_the_ticket(
    assistant: Assistant, desk: KnowledgeServer
) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    assert len(talk.say("why does my chair squeak?").choices) == 4  # that is the description
    reply = talk.say("who is the owner of the building?")
    assert "added your question" in reply.said and len(reply.choices) == 4
    talk.say("normal")
    desk.statuses = [500]
    assert "added your question" in talk.say("when will you come?").said
    talk.say("skip")
    described = talk.say("yes").args("open_ticket")["description"]
    assert described.splitlines() == [
        "why does my chair squeak?",
        "who is the owner of the building?",
        "when will you come?",
    ]


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("what can you do?", "knowledge base"),
        ("are you a robot?", "not a person"),
        ("what is the status of my ticket?", "#1042"),
        ("en español por favor", "Qué urgencia"),
        ("hello", "go on"),
    ],
)
def test_other_matters_do_not_end_the_form(assistant: Assistant, said: str, answered: str) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    talk.say("The lamp is broken")
    reply = talk.say(said)
    assert answered in reply.said and len(reply.choices) == 4


@pytest.mark.parametrize(
    ("language", "start", "cancel", "dropped", "question"),
    [
        ("en", "open a ticket", "cancel", "nothing was sent", "how do I use the vpn?"),
        ("es", "abrir un ticket", "cancelar", "no se ha enviado nada", "¿cómo conecto la vpn?"),
    ],
)
def test_the_form_can_be_left_at_any_point(
    assistant: Assistant, language: str, start: str, cancel: str, dropped: str, question: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    assert dropped in talk.say(cancel).said.lower()
    assert talk.say(question).commands == ["answer"]
    late = talk.press({"intent": "form_answer", "entities": {"field": "urgency", "value": "low"}})
    assert late.commands == [] and late.said
    summary = _filled(assistant.talk(language))
    assert dropped in summary.press({"intent": "cancel"}).said.lower()


def test_a_description_that_speaks_of_cancelling_does_not_leave_the_form(
    assistant: Assistant,
) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    assert len(talk.say("I cannot cancel a meeting series that I made last year").choices) == 4


@pytest.mark.parametrize(
    ("language", "start", "what", "human"),
    [
        ("en", "open a ticket", "The door lock jams", "human please"),
        ("es", "abrir un ticket", "La cerradura se atasca", "quiero hablar con una persona"),
    ],
)
def test_a_human_can_be_asked_for_inside_the_form(
    assistant: Assistant, language: str, start: str, what: str, human: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.say(what)
    handoff = talk.say(human).args("handoff")
    assert handoff["reason"] == "asked_for_human" and what in handoff["summary"]


@pytest.mark.parametrize(
    ("language", "start", "what"),
    [
        ("en", "open a ticket", "The screen of my laptop flickers"),
        ("en", "open a ticket", "The battery of my laptop dies"),
        ("en", "open a ticket", "I lost my charger"),
        ("en", "open a ticket", "password expired"),
        ("es", "abrir un ticket", "mi portátil no enciende"),
        ("es", "abrir un ticket", "la pantalla parpadea"),
        ("es", "abrir un ticket", "se rompió el cargador de mi móvil"),
        ("es", "abrir un ticket", "mi contraseña ha caducado"),
    ],
)
def test_a_harmless_description_does_not_end_the_form(
    assistant: Assistant, language: str, start: str, what: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    assert len(talk.say(what).choices) == 4  # how urgent it is
    talk.say("normal")
    talk.say("-")
    ticket = talk.say(YES[language]).args("open_ticket")
    assert (ticket["description"], ticket["since"]) == (what, None)


@pytest.mark.parametrize(
    ("language", "start", "text", "reason"),
    [
        ("en", "open a ticket", "I clicked a phishing link", "security_incident"),
        ("es", "abrir un ticket", "robaron mi portátil", "security_incident"),
        ("en", "open a ticket", "there is a fire", "emergency"),
    ],
)
def test_an_alarm_inside_the_form_goes_to_a_human_at_once(
    assistant: Assistant, language: str, start: str, text: str, reason: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    assert talk.say(text).args("handoff")["reason"] == reason
    filled = _filled(assistant.talk(language))
    assert filled.say(text).args("handoff")["reason"] == reason


@pytest.mark.parametrize(
    ("language", "start", "asked", "what"),
    [
        (
            "en",
            "I want to report a problem",
            ("since when", "how urgent"),
            "The scanner has been cutting pages off since Monday. It is urgent.",
        ),
        (
            "es",
            "quiero reportar un problema",
            ("desde cuándo", "urgencia"),
            "El escáner corta las páginas desde el lunes. Es urgente.",
        ),
    ],
)
def test_a_letter_is_asked_for_everything_at_once(
    assistant: Assistant, language: str, start: str, asked: tuple[str, str], what: str
) -> None:
    talk = assistant.talk(language, by_letter=True)
    question = talk.say(start)
    assert all(words in question.said for words in asked) and not question.choices
    ticket = talk.say(what).args("open_ticket")
    assert (ticket["description"], ticket["urgency"], ticket["since"]) == (what, "urgent", None)


@pytest.mark.parametrize(
    ("start", "kind", "description"),
    [
        (
            "I want to report a problem: the coffee machine is leaking water",
            "incident",
            "the coffee machine is leaking water",
        ),
        (
            "Please file a request for a second screen and a keyboard, no hurry",
            "request",
            "Please file a request for a second screen and a keyboard, no hurry",
        ),
    ],
)
def test_a_letter_that_says_it_all_is_asked_nothing(
    assistant: Assistant, start: str, kind: str, description: str
) -> None:
    talk = assistant.talk(by_letter=True)
    ticket = talk.say(start).args("open_ticket")
    assert (ticket["kind"], ticket["description"]) == (kind, description)
    assert ticket["urgency"] == ("low" if "no hurry" in start else "normal")
    assert talk.say("how do I use the vpn").commands == ["answer"]


def test_a_letter_can_leave_the_form(assistant: Assistant) -> None:
    talk = assistant.talk(by_letter=True)
    talk.say("open a ticket")
    assert "nothing was sent" in talk.say("cancel").said.lower()


def _filled(talk: Conversation) -> Conversation:
    """Return the conversation with a form that only has to be confirmed."""
    talk.say("open a ticket")
    talk.say("The lamp is broken")
    talk.say("normal")
    talk.say("-")
    return talk
