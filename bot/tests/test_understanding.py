"""How well the trained model understands messages it has not seen."""

from __future__ import annotations

import asyncio

import pytest
import yaml
from assistant_process import BOT

from inputs.processor import DeskAgent, TurnProcessor
from inputs.turn import LANGUAGES, TurnRequest

HELD_BACK = BOT.parent / "nlu_data" / "held_back" / "messages.yml"
HELD_OUT = yaml.safe_load(HELD_BACK.read_text())
URGENT = {"ask_human", "angry", "emergency", "security_incident", "self_harm"}
QUESTION = {"ask_question", "nlu_fallback", "follow_up"}
SEARCHED = {"ask_question", "request_item"}  # a wish for what the catalogue has not is searched for

# What the model reached when this was written: 0.96 in English, 0.95 in Spanish.
LEAST_RIGHT = 0.92


def understood(agent: DeskAgent, text: str) -> str:
    """Return the intent, every kind of question as `ask_question`."""
    parsed = asyncio.run(agent.parse_message(text))
    name = str(parsed["intent"]["name"])
    return "ask_question" if name in QUESTION else name


def is_right(meant: str, found: str) -> bool:
    """Say whether `found` leads to the same as what was `meant`."""
    return found == meant or (meant == "ask_question" and found in SEARCHED)


@pytest.fixture(scope="module")
def results(loaded: DeskAgent) -> dict[str, list[tuple[str, str, str]]]:
    """By language: what was meant, what was understood, the message."""
    return {
        language: [
            (intent, understood(loaded, str(text)), str(text))
            for intent, texts in intents.items()
            for text in texts
        ]
        for language, intents in HELD_OUT.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_unseen_messages_are_understood(
    results: dict[str, list[tuple[str, str, str]]], language: str
) -> None:
    wrong = [result for result in results[language] if not is_right(*result[:2])]
    assert len(results[language]) >= 100
    assert 1 - len(wrong) / len(results[language]) >= LEAST_RIGHT, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_urgent_is_hardly_ever_missed(
    results: dict[str, list[tuple[str, str, str]]], language: str
) -> None:
    missed = [r for r in results[language] if r[0] in URGENT and r[1] not in URGENT]
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_raise_no_alarm_and_go_to_the_search(
    results: dict[str, list[tuple[str, str, str]]], language: str
) -> None:
    asked = [r for r in results[language] if r[0] == "ask_question"]
    assert not [r for r in asked if r[1] in URGENT]
    assert sum(r[1] in SEARCHED for r in asked) / len(asked) >= 0.95


def test_a_turn_is_understood_in_the_shared_processor(loaded: DeskAgent) -> None:
    turn = TurnRequest(
        turn_id="t", sender_id="s", text="are you a bot", choice=None, language="en", context={}
    )
    body = asyncio.run(TurnProcessor.sharing(loaded.processor).reply(turn))
    assert body["intent"]["name"] == "bot_challenge"
