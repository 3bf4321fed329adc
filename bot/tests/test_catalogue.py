"""The catalogue in conversation with the real assistant, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from assistant_process import Assistant, Conversation, Reply
from desk_double import KnowledgeServer


def choice(reply: Reply, label: str) -> dict[str, Any]:
    """Return the button of `reply` that says `label`."""
    return next(one for one in reply.choices if one["label"] == label)


@pytest.mark.parametrize(
    ("language", "need", "yes", "which", "day", "skip", "send"),
    [
        ("en", "I need a new laptop", "yes please", "the powerful one", "15 December 2030", "Skip",
         "yes, send it"),
        ("es", "necesito un portátil nuevo", "sí, por favor", "el potente",
         "el 15 de diciembre de 2030", "Omitir", "sí, envíalo"),
    ],
)  # fmt: skip
def test_a_wish_is_offered_as_an_item_and_its_form_filled_in(
    assistant: Assistant,
    language: str,
    need: str,
    yes: str,
    which: str,
    day: str,
    skip: str,
    send: str,
) -> None:
    talk = assistant.talk(language)
    offered = talk.say(need)
    assert [one["intent"] for one in offered.choices] == ["choose_item", "deny"]
    assert len(talk.say(yes).choices) == 2
    talk.say(which)
    talk.say(day)
    asked = talk.say("3")
    assert [one["entities"]["value"] for one in asked.choices] == ["yes", "no"]
    summary = talk.press(choice(talk.press(asked.choices[0]), skip))
    assert "2030-12-15" in summary.said and summary.commands == []
    ticket = talk.say(send).args("open_ticket")
    assert (ticket["kind"], ticket["item"]) == ("request", "laptop")
    assert ticket["values"] == {
        "model": "Powerful",
        "day": "2030-12-15",
        "count": "3",
        "bag": "yes",
    }
    assert ticket["subject"] == offered.choices[0]["label"]


def test_an_item_without_a_form_is_only_confirmed(assistant: Assistant) -> None:
    talk = assistant.talk()
    summary = talk.press(talk.say("could I get a software licence").choices[0])
    assert "Software licence" in summary.said
    ticket = talk.press(choice(summary, "Send it")).args("open_ticket")
    assert (ticket["item"], ticket["values"]) == ("licence", {})


def test_a_request_for_what_the_catalogue_has_begins_its_form(assistant: Assistant) -> None:
    begun = assistant.talk().say("please file a request for a new laptop")
    assert "New laptop" in begun.said
    assert [one["label"] for one in begun.choices] == ["Light", "Powerful"]


@pytest.mark.parametrize("answer", ["the second", "the laptop to borrow please"])
def test_of_several_items_one_is_chosen_in_words(assistant: Assistant, answer: str) -> None:
    talk = assistant.talk()
    offered = talk.say("I need a laptop for a week")
    assert [one["label"] for one in offered.choices] == [
        "New laptop",
        "Laptop to borrow",
        "Something else",
    ]
    assert "Laptop to borrow" in talk.say(answer).said


def test_of_several_items_a_request_lets_choose_before_any_form(assistant: Assistant) -> None:
    talk = assistant.talk()
    offered = talk.say("please file a request for a laptop")
    assert [one["intent"] for one in offered.choices] == ["choose_item", "choose_item", "deny"]
    assert offered.commands == []
    assert "yes" not in talk.say("yes").commands
    assert talk.press(choice(offered, "New laptop")).choices[0]["label"] == "Light"


@pytest.mark.parametrize(
    ("language", "question", "first"),
    [("en", "what can I ask for?", "New laptop"), ("es", "¿qué puedo pedir?", "Portátil nuevo")],
)
def test_the_catalogue_is_shown(
    assistant: Assistant, language: str, question: str, first: str
) -> None:
    talk = assistant.talk(language)
    shown = talk.say(question)
    assert shown.choices[0]["label"] == first
    assert len(shown.choices) == 3
    assert len(talk.press(shown.choices[0]).choices) == 2


@pytest.mark.parametrize(("language", "no"), [("en", "no, something else"), ("es", "no")])
def test_an_offer_turned_down_is_dropped(assistant: Assistant, language: str, no: str) -> None:
    talk = assistant.talk(language)
    talk.say({"en": "I need a new laptop", "es": "necesito un portátil nuevo"}[language])
    assert talk.say(no).commands == []
    again = talk.say({"en": "yes", "es": "sí"}[language])
    assert "open_ticket" not in again.commands
    assert not [one for one in again.choices if one["intent"] == "form_answer"]


def test_an_answer_that_does_not_fit_is_asked_for_again(assistant: Assistant) -> None:
    talk = _begun(assistant)
    wrong = talk.say("a purple one with wings")
    assert [one["label"] for one in wrong.choices] == ["Light", "Powerful"]
    talk.say("2")
    assert "Needed by" in talk.say("whenever you like").said
    assert "How many" in talk.say("tomorrow").said
    assert "How many" in talk.say("a few").said


def test_a_form_of_an_item_is_left_at_any_time(assistant: Assistant) -> None:
    talk = _begun(assistant)
    assert talk.say("cancel").commands == []
    assert "open_ticket" not in talk.say("yes").commands


def test_an_item_that_is_gone_says_so_and_asks_nothing(assistant: Assistant) -> None:
    talk = assistant.talk()
    gone = talk.press({"intent": "choose_item", "entities": {"item": "gone"}, "label": "Boat"})
    assert "cannot be asked for" in gone.said
    assert gone.commands == []
    assert talk.say("vpn").args("answer")["article_id"] == "vpn-connect"


def test_a_letter_is_not_asked_to_confirm(assistant: Assistant) -> None:
    talk = assistant.talk(by_letter=True)
    talk.press(choice(talk.say("Hello, I need a new laptop. Regards, Ada"), "New laptop"))
    talk.say("The light one, please. Regards, Ada")
    talk.say("On 2030-12-15, please.")
    talk.say("Only 1.")
    talk.say("No, thanks.")
    ticket = talk.say("Mine has become too slow for the maps.").args("open_ticket")
    assert ticket["values"]["model"] == "Light"
    assert ticket["values"]["bag"] == "no"


def test_without_the_catalogue_a_wish_is_a_question(
    assistant: Assistant, desk: KnowledgeServer
) -> None:
    assert assistant.talk().say("I need a new vpn").args("answer")["article_id"] == "vpn-connect"
    assert desk.asked


def _begun(assistant: Assistant) -> Conversation:
    talk = assistant.talk()
    talk.press(talk.say("I need a new laptop").choices[0])
    return talk


@pytest.mark.parametrize(
    ("language", "trouble"),
    [("en", "I need help with my new laptop"), ("es", "quiero reportar un fallo de mi portátil")],
)
def test_trouble_with_what_the_catalogue_has_is_not_taken_for_a_wish(
    assistant: Assistant, language: str, trouble: str
) -> None:
    said = assistant.talk(language).say(trouble)
    assert "choose_item" not in [one["intent"] for one in said.choices]
