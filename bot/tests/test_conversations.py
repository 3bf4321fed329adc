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
    talk = assistant.talk(language)
    reply = talk.say(question)
    assert reply.args("answer")["article_id"] == article
    (asked,) = desk.asked
    # Whose conversation it is: the desk shows what that requester may see, and no more.
    assert asked.pop("conversation")
    assert asked == {"q": question, "lang": language, "limit": "4"}


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


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "how is my ticket?"),
        ("en", "status of ticket 99"),
        ("en", "add to ticket 99 that it still fails"),
        ("es", "añade al ticket 99 que sigue fallando"),
    ],
)
def test_where_others_read_it_asks_for_a_private_message(
    assistant: Assistant, language: str, text: str
) -> None:
    reply = assistant.talk(language, tickets=[], shared=True).say(text)
    assert ("in private" if language == "en" else "en privado") in reply.said
    assert reply.commands == []


def test_where_others_read_it_speaks_of_the_ticket_of_the_place(assistant: Assistant) -> None:
    said = assistant.talk(shared=True).say("what about my ticket?").said
    assert "#1042" in said and "in private" in said
    assert "in private" not in assistant.talk(shared=True).say("status of ticket 1042").said


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
