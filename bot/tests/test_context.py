"""What a message means in the light of what was said before, with the real assistant."""

from __future__ import annotations

from typing import Any

import pytest
from assistant_process import TICKETS, Assistant
from desk_double import KnowledgeServer

HELPED = {"intent": "helped", "entities": {"article_id": "vpn-connect"}}
SUMMARY = "Ticket #1042: Laptop is slow\nAna: Please restart it.\nAna: Then install the update."


# -- follow-up questions


@pytest.mark.parametrize(
    ("language", "question", "follow_up", "article"),
    [
        ("en", "how do I use the vpn", "and on the phone?", "vpn-phone"),
        ("en", "how do I use the vpn", "what about my phone", "vpn-phone"),
        ("en", "how do I change my keyboard", "what about Spanish ones", "keyboard-spanish"),
        ("es", "¿cómo uso la vpn?", "¿y en el móvil?", "vpn-movil"),
        ("es", "cómo uso la vpn", "y desde el movil", "vpn-movil"),
    ],
)
def test_a_follow_up_is_understood_with_the_question_before_it(
    assistant: Assistant, language: str, question: str, follow_up: str, article: str
) -> None:
    talk = assistant.talk(language)
    talk.say(question)
    assert talk.say(follow_up).args("answer")["article_id"] == article


@pytest.mark.parametrize(
    ("language", "question", "helped", "follow_up", "article"),
    [
        ("en", "how do I use the vpn", "that helped, thanks", "and on the phone?", "vpn-phone"),
        ("es", "cómo uso la vpn", "me sirvió, gracias", "¿y en el móvil?", "vpn-movil"),
    ],
)
def test_a_follow_up_may_come_after_the_answer_helped(
    assistant: Assistant, language: str, question: str, helped: str, follow_up: str, article: str
) -> None:
    talk = assistant.talk(language)
    talk.say(question)
    talk.say(helped)
    assert talk.say(follow_up).args("answer")["article_id"] == article


@pytest.mark.parametrize(
    ("language", "question", "follow_up", "said"),
    [
        ("en", "how do I use the vpn", "how long does that take?", "All I know"),
        ("es", "cómo uso la vpn", "¿cuánto tarda eso?", "Todo lo que sé"),
    ],
)
def test_what_only_the_shown_article_may_tell_is_not_shown_again(
    assistant: Assistant, language: str, question: str, follow_up: str, said: str
) -> None:
    talk = assistant.talk(language)
    talk.say(question)
    reply = talk.say(follow_up)
    assert reply.commands == [] and said in reply.said
    yes, _ = reply.choices
    handoff = talk.press(yes).args("handoff")
    assert handoff["reason"] == "out_of_scope_accepted" and question in handoff["summary"]


@pytest.mark.parametrize(
    ("language", "first", "then", "article"),
    [
        ("en", "how do I use the vpn", "how do I set up the scanner?", "scanner-set-up"),
        ("en", "how do I use the vpn", "and the scanner?", "scanner-set-up"),
        ("es", "cómo uso la vpn", "¿cómo instalo el escáner?", "escaner-instalar"),
        ("es", "cómo uso la vpn", "¿y el escáner?", "escaner-instalar"),
    ],
)
def test_a_new_topic_does_not_drag_the_old_one_along(
    assistant: Assistant, desk: KnowledgeServer, language: str, first: str, then: str, article: str
) -> None:
    talk = assistant.talk(language)
    talk.say(first)
    assert talk.say(then).args("answer")["article_id"] == article


def test_a_question_that_stands_alone_is_searched_for_alone(
    assistant: Assistant, desk: KnowledgeServer
) -> None:
    talk = assistant.talk()
    talk.say("how do I use the vpn")
    desk.asked.clear()
    talk.say("how do I request a badge for the new building?")
    assert [asked["q"] for asked in desk.asked] == [
        "how do I request a badge for the new building?"
    ]


# -- clarification


@pytest.mark.parametrize(
    ("language", "vague", "asked", "reply", "article"),
    [
        ("en", "it does not work", "What exactly", "the vpn", "vpn-connect"),
        ("en", "I have a problem", "What exactly", "the vpn", "vpn-connect"),
        ("es", "tengo un problema", "Qué es exactamente", "la contraseña",
         "contrasena-restablecer"),
        ("es", "no funciona", "Qué es exactamente", "la contraseña", "contrasena-restablecer"),
    ],
)  # fmt: skip
def test_a_vague_message_is_asked_about_and_the_reply_understood_with_it(
    assistant: Assistant,
    desk: KnowledgeServer,
    language: str,
    vague: str,
    asked: str,
    reply: str,
    article: str,
) -> None:
    talk = assistant.talk(language)
    question = talk.say(vague)
    assert asked in question.said and question.commands == []
    assert talk.say(reply).args("answer")["article_id"] == article
    assert any(vague in one["q"] and reply in one["q"] for one in desk.asked)


@pytest.mark.parametrize(
    ("language", "vague", "again"),
    [
        ("en", "something is wrong", "it is broken"),
        ("es", "algo va mal", "está roto"),
        ("en", "it does not work", "no idea, it just does not work"),
    ],
)
def test_nobody_is_asked_twice_what_is_wrong(
    assistant: Assistant, language: str, vague: str, again: str
) -> None:
    talk = assistant.talk(language)
    talk.say(vague)
    handoff = talk.say(again).args("handoff")
    assert handoff["reason"] == "unsure_twice" and vague in handoff["summary"]


def test_after_an_answer_a_vague_complaint_is_about_the_answer(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("how do I use the vpn")
    assert talk.say("it's not working").args("answer")["article_id"] == "vpn-slow"


# -- two matters in one message


@pytest.mark.parametrize(
    ("language", "message", "first", "other", "helped", "second"),
    [
        ("en", "my VPN is down and I also need a new mouse", "vpn-connect",
         "I need a new mouse", "that helped", "file it as a request"),
        ("es", "mi VPN no funciona y también necesito un ratón nuevo", "vpn-connect",
         "necesito un ratón nuevo", "me sirvió", "registrarlo como solicitud"),
    ],
)  # fmt: skip
def test_a_second_matter_is_taken_up_after_the_first(
    assistant: Assistant,
    language: str,
    message: str,
    first: str,
    other: str,
    helped: str,
    second: str,
) -> None:
    talk = assistant.talk(language)
    reply = talk.say(message, turn_id="two-matters")
    assert reply.args("answer")["article_id"] == first
    assert "«" in reply.said or "“" in reply.said
    assert talk.say(message, turn_id="two-matters").body["replayed"] is True
    then = talk.say(helped)
    assert other in then.said and second in then.said


def test_two_questions_are_answered_one_after_the_other(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("How do I use the VPN? And how do I set up the scanner?")
    assert reply.args("answer")["article_id"] == "vpn-connect"
    then = talk.press(HELPED)
    assert then.args("answer")["article_id"] == "scanner-set-up"
    assert "how do I set up the scanner" in then.said


def test_what_is_settled_at_once_is_followed_at_once_by_the_other(assistant: Assistant) -> None:
    talk = assistant.talk()
    reply = talk.say("what is the status of my ticket and how do I use the vpn?", turn_id="at-once")
    assert "#1042" in reply.said and reply.args("answer")["article_id"] == "vpn-connect"
    again = talk.say("whatever", turn_id="at-once")
    assert again.body["replayed"] is True and again.body["output"] == reply.body["output"]


def test_the_second_matter_goes_to_the_human_with_the_first(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("How do I use the VPN? And how do I set up the scanner?")
    handoff = talk.say("human please").args("handoff")
    assert "set up the scanner" in handoff["summary"]


def test_the_second_matter_is_part_of_the_ticket_of_the_first(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("I want to report a problem: the lamp is broken. Also, how do I set up the scanner?")
    talk.say("low")
    talk.say("skip")
    assert "set up the scanner" in talk.say("yes").args("open_ticket")["description"]


@pytest.mark.parametrize(
    "message",
    [
        "my VPN is slow and it disconnects",
        "My printer is broken. What can I do?",
        "the vpn of the printer and the scanner are down",
        "no puedo conectar la vpn y no sé por qué",
    ],
)
def test_one_matter_in_several_clauses_stays_one(assistant: Assistant, message: str) -> None:
    reply = assistant.talk().say(message)
    assert "One thing after the other" not in reply.said and "Vamos por partes" not in reply.said


def test_an_alarm_counts_before_any_other_matter(assistant: Assistant) -> None:
    reply = assistant.talk().say("How do I use the VPN? And also there is a fire in the kitchen!")
    assert reply.args("handoff")["reason"] == "emergency"


def test_an_alarm_is_found_deep_in_a_long_letter(assistant: Assistant) -> None:
    letter = "The report of last month does not print on floor two. " * 150
    reply = assistant.talk().say(f"{letter} Also, hay humo en la sala de servidores. {letter}")
    assert reply.args("handoff")["reason"] == "emergency"


@pytest.mark.parametrize(
    ("language", "need", "yes", "asked"),
    [
        ("en", "I need a standing desk", "yes please", "How urgent"),
        ("es", "necesito una mesa elevable", "sí, por favor", "Qué urgencia"),
    ],
)
def test_a_need_that_no_article_answers_can_be_filed(
    assistant: Assistant, language: str, need: str, yes: str, asked: str
) -> None:
    talk = assistant.talk(language)
    offered = talk.say(need)
    assert offered.commands == [] and offered.choices[0]["intent"] == "request_service"
    assert asked in talk.say(yes).said
    pressing = assistant.talk(language)
    assert asked in pressing.press(pressing.say(need).choices[0]).said
    pressing.say("normal")
    filed = pressing.say({"en": "yes", "es": "sí"}[language]).args("open_ticket")
    assert (filed["kind"], filed["description"]) == ("request", need)


# -- tickets


def several(*statuses: str) -> list[dict[str, Any]]:
    subjects = ("Broken chair", "Printer jams", "Slow laptop")
    return [
        {**TICKETS[0], "number": 1042 + place, "status": status, "subject": subjects[place]}
        for place, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("language", "message", "added"),
    [
        ("en", "add to ticket 1042 that it also happens on Wi-Fi", "it also happens on Wi-Fi"),
        ("en", "please add to my ticket: the other leg broke too", "the other leg broke too"),
        ("es", "añade al ticket 1042 que también pasa por wifi", "también pasa por wifi"),
        ("es", "agrega a mi ticket que se rompió otra pata", "se rompió otra pata"),
    ],
)
def test_a_detail_is_added_to_the_requesters_ticket(
    assistant: Assistant, language: str, message: str, added: str
) -> None:
    reply = assistant.talk(language).say(message)
    assert reply.args("add_to_ticket") == {"number": 1042, "text": added}
    assert "#1042" in reply.said


@pytest.mark.parametrize(
    ("language", "wish", "detail"),
    [
        ("en", "I want to add something to my ticket", "it squeaks too"),
        ("es", "quiero agregar algo a mi ticket", "además chirría"),
    ],
)
def test_what_to_add_and_to_which_ticket_is_asked_for(
    assistant: Assistant, language: str, wish: str, detail: str
) -> None:
    talk = assistant.talk(language, tickets=several("open", "pending", "closed"))
    which = talk.say(wish)
    assert [c["label"] for c in which.choices] == ["#1042 Broken chair", "#1043 Printer jams"]
    assert "#1043" in talk.press(which.choices[1]).said
    assert talk.say(detail).args("add_to_ticket") == {"number": 1043, "text": detail}


def test_the_ticket_can_be_named_in_words(assistant: Assistant) -> None:
    talk = assistant.talk(tickets=several("open", "open"))
    talk.say("add to my ticket that it got worse")
    assert talk.say("1043").args("add_to_ticket") == {"number": 1043, "text": "it got worse"}


@pytest.mark.parametrize(
    ("tickets", "message", "said"),
    [
        (TICKETS, "add to ticket 77 that it also happens on Wi-Fi", "do not find a ticket 77"),
        (several("closed"), "add to ticket 1042 that it happens again", "closed"),
        ([], "add to my ticket that it happens again", "no tickets"),  # as of the unverified
    ],
)
def test_nothing_is_added_to_what_is_not_theirs_or_closed(
    assistant: Assistant, tickets: list[dict[str, Any]], message: str, said: str
) -> None:
    reply = assistant.talk(tickets=tickets).say(message)
    assert reply.commands == [] and said in reply.said


def test_while_a_detail_is_asked_for_a_human_can_be_called(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("add a note to my ticket")
    assert talk.say("human please").args("handoff")["reason"] == "asked_for_human"


def test_a_ticket_is_found_by_what_it_is_about(assistant: Assistant) -> None:
    talk = assistant.talk(tickets=several("open", "pending", "solved"))
    reply = talk.say("what is the status of my printer ticket?")
    assert "#1043" in reply.said and "#1042" not in reply.said
    everything = talk.say("my tickets").said
    assert all(number in everything for number in ("#1042", "#1043", "#1044"))


# -- after a hand-back


@pytest.mark.parametrize(
    ("language", "question", "told"),
    [
        ("en", "what did they say?", "As Ana told you"),
        ("en", "what did Ana tell me?", "As Ana told you"),
        ("es", "¿qué me dijeron?", "Como le dijo Ana"),
    ],
)
def test_it_knows_what_the_human_said(
    assistant: Assistant, language: str, question: str, told: str
) -> None:
    reply = assistant.talk(language, summary=SUMMARY).say(question)
    assert told in reply.said and "install the update" in reply.said and "#1042" in reply.said
    assert assistant.talk(language).say(question).commands == []


def test_it_greets_as_one_who_knows(assistant: Assistant) -> None:
    assert "Ana" in assistant.talk(summary=SUMMARY).say("hello").said


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "that did not help"), ("en", "it still does not work"), ("es", "sigue sin funcionar")],
)
def test_what_the_human_advised_and_did_not_help_goes_back_to_humans(
    assistant: Assistant, language: str, message: str
) -> None:
    handoff = assistant.talk(language, summary=SUMMARY).say(message).args("handoff")
    assert handoff["reason"] == "not_helped" and "install the update" in handoff["summary"]


# -- details, reasons


@pytest.mark.parametrize(
    ("language", "start", "what", "urgency", "since", "fields"),
    [
        ("en", "open a ticket", "Outlook crashes on my macbook pro in room 12, tag LAP-00123",
         "normal", "since Monday",
         {"device": "MacBook", "product": "outlook", "location": "room 12",
          "asset_tag": "LAP-00123"}),
        ("es", "abrir un ticket", "el wifi del portátil falla en la segunda planta", "normal",
         "desde ayer",
         {"device": "laptop", "product": "Wi-Fi", "location": "segunda planta"}),
    ],
)  # fmt: skip
def test_what_is_named_is_kept_for_the_agent(
    assistant: Assistant,
    language: str,
    start: str,
    what: str,
    urgency: str,
    since: str,
    fields: dict[str, str],
) -> None:
    talk = assistant.talk(language)
    talk.say(start)
    talk.say(what)
    talk.say(urgency)
    talk.say(since)
    ticket = talk.say({"en": "yes", "es": "sí"}[language]).args("open_ticket")
    told = {name: value.lower() for name, value in ticket["fields"].items()}
    assert told == {name: value.lower() for name, value in fields.items()}
    assert ticket["since"] == since


def test_what_was_named_is_told_with_a_hand_off(assistant: Assistant) -> None:
    talk = assistant.talk()
    talk.say("how do I use the vpn on my iPad")
    summary = talk.say("human please").args("handoff")["summary"]
    assert "Device: iPad" in summary and "Product: VPN" in summary


def test_an_important_requester_is_not_asked_to_try_again(assistant: Assistant) -> None:
    handoff = assistant.talk(is_vip=True).say("what is the capital of Peru?").args("handoff")
    assert (handoff["reason"], handoff["priority"]) == ("vip", "high")
