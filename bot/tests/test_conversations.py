"""Whole conversations with the real assistant, in both languages."""

from __future__ import annotations

import pytest
from assistant_process import Assistant
from desk_double import KnowledgeServer

HELPED = {"intent": "helped", "entities": {"article_id": "vpn-connect"}}
NOT_HELPED = {"intent": "not_helped", "entities": {"article_id": "vpn-connect"}}
NONE_OF_THESE = {"intent": "not_helped", "entities": {}}


@pytest.mark.parametrize(
    ("language", "hello", "word", "again"),
    [("en", "hello", "automated", "Hello again"), ("es", "Hola", "automático", "Hola de nuevo")],
)
def test_it_greets_in_full_once_and_says_that_it_is_automated(
    assistant: Assistant, language: str, hello: str, word: str, again: str
) -> None:
    talk = assistant.talk(language, requester_name="Ana")
    first = talk.say(hello).said
    assert word in first and ", Ana!" in first
    assert again in talk.say(hello).said


def test_it_explains_what_it_can_do_and_that_it_is_a_bot(assistant: Assistant) -> None:
    assert "knowledge base" in assistant.talk().say("what can you do?").said
    assert "base de conocimiento" in assistant.talk("es").say("¿qué puedes hacer?").said
    assert "not a person" in assistant.talk().say("are you a robot?").said
    assert "no una persona" in assistant.talk("es").say("¿eres un robot?").said


@pytest.mark.parametrize(
    ("language", "question", "article"),
    [
        ("en", "My VPN has a problem, it does not connect", "vpn-connect"),
        ("en", "vpn mac", "vpn-connect"),
        ("es", "contraseña olvidada", "contrasena-restablecer"),
    ],
)
def test_a_question_is_answered_from_the_knowledge_base(
    assistant: Assistant, desk: KnowledgeServer, language: str, question: str, article: str
) -> None:
    reply = assistant.talk(language).say(question)
    assert reply.args("answer")["article_id"] == article
    assert desk.asked == [{"q": question, "lang": language, "limit": "4"}]


def test_an_answer_that_helped_ends_well(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("how do I use the vpn")
    assert "glad" in talk.press(HELPED).said
    assert talk.say("no").commands == ["close"]


def test_an_answer_that_did_not_help_leads_to_another_article_then_to_a_human(
    assistant: Assistant,
) -> None:
    talk = assistant.talk()
    talk.say("how do I use the vpn")
    assert talk.say("no, that did not help").args("answer")["article_id"] == "vpn-slow"
    handoff = talk.press(NOT_HELPED).args("handoff")
    assert handoff["reason"] == "not_helped"
    assert "vpn-connect, vpn-slow" in handoff["summary"]
    assert "how do I use the vpn" in handoff["summary"]


def test_without_another_article_the_human_comes_at_once(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("reset my password")
    assert talk.press(NOT_HELPED).args("handoff")["reason"] == "not_helped"


def test_when_unsure_it_offers_up_to_three_articles(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("printer")
    assert reply.args("offer")["article_ids"] == ["printer-add", "printer-offline", "printer-jam"]
    chosen = {"intent": "choose_article", "entities": {"article_id": "printer-jam"}}
    assert talk.press(chosen).args("answer") == {"article_id": "printer-jam", "score": 0.7}


def test_an_offered_article_can_be_chosen_in_words(assistant: Assistant) -> None:
    talk = assistant.talk("es")
    talk.say("impresora")
    assert talk.say("la segunda").args("answer")["article_id"] == "impresora-atasco"


def test_unsure_twice_in_a_row_brings_in_a_human(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("printer")
    assert talk.press(NONE_OF_THESE).commands == []
    assert talk.say("quantum entanglement").args("handoff")["reason"] == "unsure_twice"


def test_out_of_scope_is_said_honestly_and_a_human_offered(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("what is the capital of Peru?")
    assert "do not have an answer" in reply.said and reply.commands == []
    yes, _ = reply.choices
    assert talk.press(yes).args("handoff")["reason"] == "out_of_scope_accepted"


def test_a_human_turned_down_is_not_forced_on_the_requester(assistant: Assistant) -> None:
    talk = assistant.talk("es")
    talk.say("¿cuál es la capital de Perú?")
    assert talk.say("no, gracias").commands == []
    assert talk.say("¿y la de Australia?").commands == []


@pytest.mark.parametrize(
    ("language", "start", "what", "urgency", "since"),
    [
        ("en", "I want to report a problem", "The chair in room 3 broke", "very urgent", "Monday"),
        ("es", "quiero reportar un problema", "Se rompió una silla", "muy urgente", "el lunes"),
    ],
)
def test_a_problem_report_becomes_a_ticket(
    assistant: Assistant, language: str, start: str, what: str, urgency: str, since: str
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    assert len(talk.say(what).choices) == 4
    talk.say(urgency)
    assert talk.say(since).args("open_ticket") == {
        "kind": "incident",
        "subject": what,
        "description": what,
        "urgency": "urgent",
        "since": since,
    }


def test_a_request_is_not_asked_since_when(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("I want to make a request")
    high = next(c for c in talk.say("A second monitor").choices if c["label"] == "High")
    ticket = talk.press(high).args("open_ticket")
    assert (ticket["kind"], ticket["urgency"], ticket["since"]) == ("request", "high", None)


def test_what_is_said_with_the_wish_to_report_is_not_asked_again(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("I want to report a problem: the coffee machine is leaking water")
    assert "How urgent" in reply.said
    talk.say("low")
    ticket = talk.say("since yesterday").args("open_ticket")
    assert ticket["description"] == "the coffee machine is leaking water"


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


def test_the_form_takes_any_text_and_a_correction(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    talk.say('/restart {"hello": 1}\n\n*yes* 👍')
    talk.say("normal")
    assert "Since when" in talk.say("actually it is the scanner").said
    ticket = talk.say("no idea").args("open_ticket")
    assert ticket["description"] == "it is the scanner" and ticket["since"] == "no idea"


def test_the_form_can_be_left_at_any_point(assistant: Assistant) -> None:
    talk = assistant.talk("es")
    talk.say("abrir un ticket")
    assert "no se ha enviado nada" in talk.say("cancelar").said.lower()
    assert talk.say("¿cómo conecto la vpn?").commands == ["answer"]


def test_a_human_can_be_asked_for_inside_the_form(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("open a ticket")
    talk.say("The door lock jams")
    handoff = talk.say("human please").args("handoff")
    assert handoff["reason"] == "asked_for_human" and "The door lock jams" in handoff["summary"]


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
    assert talk.say("-").args("open_ticket")["description"] == what


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


@pytest.mark.parametrize(
    ("language", "text", "reason", "priority"),
    [
        ("en", "I want to talk to a real person", "asked_for_human", "normal"),
        ("es", "quiero hablar con una persona", "asked_for_human", "normal"),
        ("en", "this is useless, you are a bunch of idiots", "angry", "high"),
        ("es", "esto es una mierda, estoy harta", "angry", "high"),
        ("en", "help, there is a fire in the kitchen", "emergency", "urgent"),
        ("es", "se desmayó un compañero, llamen a una ambulancia", "emergency", "urgent"),
        ("en", "I clicked on a phishing link", "security_incident", "urgent"),
        ("es", "me robaron el portátil de la empresa", "security_incident", "urgent"),
        ("en", "I want to kill myself", "self_harm", "urgent"),
        ("es", "ya no quiero vivir, quiero morirme", "self_harm", "urgent"),
    ],
)
def test_what_is_urgent_goes_to_a_human_at_once(
    assistant: Assistant, language: str, text: str, reason: str, priority: str
) -> None:
    handoff = assistant.talk(language).say(text).args("handoff")
    assert (handoff["reason"], handoff["priority"]) == (reason, priority)


@pytest.mark.parametrize("text", ["how do I recognise phishing?", "¿qué hago en caso de incendio?"])
def test_a_question_about_a_danger_is_a_question(assistant: Assistant, text: str) -> None:
    assert assistant.talk().say(text).commands == []


def test_tickets_are_told_as_the_desk_knows_them(assistant: Assistant) -> None:
    talk = assistant.talk()
    assert "#1042: being worked on (Broken chair)" in talk.say("what about my ticket?").said
    assert "#1042" in talk.say("status of 1042").said
    assert "99" in talk.say("status of ticket 99").said
    assert "no tiene ningún ticket" in assistant.talk("es", tickets=[]).say("mi ticket").said


def test_an_explicit_wish_for_a_language_is_followed_and_kept(assistant: Assistant) -> None:
    talk = assistant.talk("en")
    reply = talk.say("en español por favor")
    assert reply.args("set_field") == {"field": "language", "value": "es"}
    assert "español" in reply.said and reply.body["language"] == "es"
    assert "conocimiento" in talk.say("qué puedes hacer").said


def test_without_a_wish_the_language_follows_the_desk(assistant: Assistant) -> None:
    talk = assistant.talk("en")
    assert "Hello" in talk.say("hello").said
    talk.language = "es"
    assert "Hola" in talk.say("hola").said


def test_a_language_it_does_not_speak_is_declined(assistant: Assistant) -> None:
    reply = assistant.talk().say("can we talk in French please")
    assert "English and Spanish" in reply.said and reply.commands == []


def test_when_the_search_is_away_a_human_is_called(
    assistant: Assistant, desk: KnowledgeServer
) -> None:
    desk.statuses = [500]
    reply = assistant.talk().say("vpn")
    assert reply.args("handoff")["reason"] == "knowledge_unavailable"
    assert "cannot look up" in reply.said


def test_a_brief_failure_of_the_search_is_not_noticed(
    assistant: Assistant, desk: KnowledgeServer
) -> None:
    desk.statuses = [503]
    assert assistant.talk().say("vpn").commands == ["answer"]


def test_messages_that_say_nothing_end_with_a_human(assistant: Assistant) -> None:
    talk = assistant.talk()
    assert "words" in talk.say("").said
    talk.say("   \n ")
    assert talk.say("...").args("handoff")["reason"] == "loop"


def test_goodbye_closes(assistant: Assistant) -> None:
    talk = assistant.talk("es")
    talk.say("gracias")
    assert talk.say("adiós").args("close") == {"reason": "goodbye"}
