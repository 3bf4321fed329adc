"""The shape of a turn, without Rasa."""

from __future__ import annotations

from typing import Any

from inputs.turn import output_of, parse_turn, said_once, understood_of

TURN = b"""{"turn_id": "t", "sender_id": "c:0", "text": "%s", "language": "en", "choice": null}"""


def test_a_turn_keeps_its_text_and_understands_it_without_the_slash() -> None:
    turn = parse_turn(TURN % b"//vpn /home", intents=[])
    assert (turn.text, turn.spoken) == ("//vpn /home", "vpn /home")


def test_what_no_store_takes_is_cleaned_from_the_text() -> None:
    assert parse_turn(TURN % rb"a\u0000b\ud800c", intents=[]).text == "ab?c"


def test_long_text_is_capped() -> None:
    assert len(parse_turn(TURN % (b"x" * 10_000), intents=[]).text) == 4_000


def test_symbols_are_words_and_dots_are_not() -> None:
    assert parse_turn("👍".join(TURN.decode().split("%s")).encode(), intents=[]).has_words
    assert not parse_turn(TURN % b"?! ... _", intents=[]).has_words


def test_output_is_what_the_events_say_in_order() -> None:
    args = {"article_id": "a", "score": 0.9}
    events: list[dict[str, Any]] = [
        {"event": "action", "name": "action_answer"},
        {"event": "bot", "text": "One.\n\nTwo.", "data": {"buttons": None, "custom": None}},
        {"event": "bot", "text": None, "data": {"custom": {"command": "answer", "args": args}}},
        {
            "event": "bot",
            "text": "Yes?",
            "data": {
                "buttons": [
                    {"title": "High", "payload": '/choose_urgency{"urgency": "high"}'},
                    {"title": "No", "payload": "/deny"},
                ]
            },
        },
    ]
    assert output_of(events) == [
        {"type": "say", "text": "One.\n\nTwo.", "choices": []},
        {"type": "command", "name": "answer", "args": args},
        {
            "type": "say",
            "text": "Yes?",
            "choices": [
                {"label": "High", "intent": "choose_urgency", "entities": {"urgency": "high"}},
                {"label": "No", "intent": "deny", "entities": {}},
            ],
        },
    ]


def _say(text: str) -> dict[str, Any]:
    return {"type": "say", "text": text, "choices": []}


def _answer(article: str, score: float) -> dict[str, Any]:
    args = {"article_id": article, "score": score}
    return {"type": "command", "name": "answer", "args": args}


def test_a_matter_that_is_asked_twice_in_one_message_is_answered_once() -> None:
    first = [_say("One after the other."), _answer("vpn", 0.9)]
    again = [_say("Now the next."), _answer("vpn", 0.8)]
    other = [_say("Now the next."), _answer("wifi", 0.8)]
    assert said_once([first, again]) == first
    assert said_once([first, again, other]) == first + other
    assert said_once([first]) == first


def test_what_was_understood_and_looked_up_is_told_with_the_turn() -> None:
    parsed = {
        "intent": {"name": "ask_question", "confidence": 0.9},
        "intent_ranking": [{"name": "ask_question", "confidence": 0.9}],
        "entities": [{"entity": "device", "value": "laptop", "start": 0, "end": 6}],
    }
    look_up = {"question": "laptop slow", "outcome": "hand_off", "articles": []}
    events: list[dict[str, Any]] = [
        {"event": "slot", "name": "look_up", "value": look_up},
        {"event": "slot", "name": "feedback", "value": None},
        {"event": "slot", "name": "topic", "value": {"question": "laptop slow"}},
    ]
    assert understood_of(parsed, events) == {
        "guesses": [{"name": "ask_question", "confidence": 0.9}],
        "mentions": [{"kind": "device", "value": "laptop"}],
        "look_ups": [look_up],
        "in_form": False,
        "feedback": None,
    }


def test_a_turn_of_the_form_says_so() -> None:
    parsed = {"intent": {"name": "report_problem", "confidence": 0.9}}
    begins: list[dict[str, Any]] = [{"event": "active_loop", "name": "ticket_form"}]
    assert understood_of(parsed, begins)["in_form"]
    assert understood_of({"intent": {"name": "form_answer", "confidence": 1.0}}, [])["in_form"]
    assert not understood_of(parsed, [])["in_form"]
