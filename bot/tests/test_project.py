"""The parts of the Rasa project fit each other."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from assistant_process import BOT

from actions import executor_of_all
from actions.form.fields import BUILT_IN
from actions.handing_over import BY_INTENT
from actions.knowledge import Knowledge
from inputs.turn import LANGUAGES

CONVERSATION = yaml.safe_load((BOT / "domain" / "conversation.yml").read_text())
RESPONSES = yaml.safe_load((BOT / "domain" / "responses.yml").read_text())["responses"]
RULES = yaml.safe_load((BOT / "rules" / "rules.yml").read_text())["rules"]
HELD_BACK = BOT.parent / "nlu_data" / "held_back" / "messages.yml"
NLU = sorted((BOT.parent / "nlu_data" / "nlu").glob("*.yml"))
INTENTS = {name for intent in CONVERSATION["intents"] for name in intent}
NOT_SAID = {
    "choose_article",
    "choose_item",
    "form_answer",
    "accept_human",
    "decline_human",
    "no_words",
}


def examples(path: Path) -> dict[str, list[str]]:
    blocks = yaml.safe_load(path.read_text())["nlu"]
    return {
        block["intent"]: [
            re.sub(r"\[([^]]+)\]\(\w+\)", r"\1", line[2:].strip())
            for line in block["examples"].splitlines()
        ]
        for block in blocks
        if "intent" in block
    }


def test_every_action_of_the_domain_is_registered_and_no_other() -> None:
    executor = executor_of_all(Knowledge(url="http://127.0.0.1:9", token="t"))
    assert set(executor.actions) == set(CONVERSATION["actions"])


def test_every_intent_has_a_rule() -> None:
    ruled = {step["intent"] for rule in RULES for step in rule["steps"] if "intent" in step}
    assert ruled == INTENTS | {"nlu_fallback"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_said_in_words_has_examples(language: str) -> None:
    counts: dict[str, int] = {}
    for path in NLU:
        if path.name.startswith(f"{language}_"):
            for intent, texts in examples(path).items():
                counts[intent] = counts.get(intent, 0) + len(texts)
    assert set(counts) == INTENTS - NOT_SAID
    assert min(counts.values()) >= 15
    assert counts["ask_question"] >= 200


def test_no_example_stands_twice() -> None:
    texts = [text.lower() for path in NLU for all_ in examples(path).values() for text in all_]
    in_several = {"bye", "👍", "👎", "ok"}  # languages
    twice = {text for text in texts if texts.count(text) > 1} - in_several
    assert len(twice) <= 12, twice


def test_no_held_out_message_is_an_example() -> None:
    held_out = yaml.safe_load(HELD_BACK.read_text())
    seen = {text.lower() for path in NLU for all_ in examples(path).values() for text in all_}
    unseen = {
        str(message).lower()
        for intents in held_out.values()
        for messages in intents.values()
        for message in messages
    }
    assert not unseen & seen


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_every_response_exists_once_in_each_language(name: str) -> None:
    def key(variation: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(c["value"]) for c in variation["condition"] if c["name"] != "language")

    by_language: dict[str, list[tuple[str, ...]]] = {language: [] for language in LANGUAGES}
    for variation in RESPONSES[name]:
        language = next(c["value"] for c in variation["condition"] if c["name"] == "language")
        by_language[language].append(key(variation))
    for keys in by_language.values():
        assert sorted(keys) == sorted(by_language["en"])
    assert len(set(by_language["en"])) == len(by_language["en"])


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_a_response_fills_in_the_same_and_offers_the_same_in_each_language(name: str) -> None:
    def content(variation: dict[str, Any]) -> tuple[list[str], list[str]]:
        payloads = [button["payload"] for button in variation.get("buttons", ())]
        return sorted(re.findall(r"\{(\w+)\}", variation["text"])), payloads

    contents: dict[str, list[Any]] = {language: [] for language in LANGUAGES}
    for variation in RESPONSES[name]:
        language = next(c["value"] for c in variation["condition"] if c["name"] == "language")
        contents[language].append(content(variation))
    for language in LANGUAGES:
        assert sorted(contents[language]) == sorted(contents["en"]), language


def test_who_may_choose_a_language_may_choose_each() -> None:
    choices = [v["buttons"] for v in RESPONSES["utter_language_switched"] if "buttons" in v]
    assert [len(buttons) for buttons in choices] == [len(LANGUAGES)] * len(LANGUAGES)


def tables_by_language() -> dict[str, Mapping[str, Any]]:
    """Return what the actions say by language, by module and name."""
    found = {}
    for path in sorted((BOT / "actions").rglob("*.py")):
        module = ".".join(path.relative_to(BOT).with_suffix("").parts)
        for name, value in vars(importlib.import_module(module)).items():
            if isinstance(value, Mapping) and "en" in value:
                found[f"{module}.{name}"] = value
    return found


def test_every_table_of_the_actions_has_each_language() -> None:
    tables = tables_by_language()
    assert len(tables) >= 8
    lacking = {name: set(LANGUAGES) - set(table) for name, table in tables.items()}
    assert {name: missing for name, missing in lacking.items() if missing} == {}


def test_every_response_an_action_uses_exists() -> None:
    rooms = (BOT / "actions", BOT / "inputs")
    source = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    used = set(re.findall(r'"(utter_\w+)"', source))
    asked = {f"utter_ask_form_{kind}{by}" for kind in BUILT_IN for by in ("", "_by_letter")}
    in_rules = {
        step["action"]
        for rule in RULES
        for step in rule["steps"]
        if str(step.get("action", "")).startswith("utter_")
    }
    assert used | asked | in_rules == set(RESPONSES)


def test_every_button_states_an_intent_of_the_assistant() -> None:
    payloads = [
        button["payload"]
        for variations in RESPONSES.values()
        for variation in variations
        for button in variation.get("buttons", ())
    ]
    assert {payload[1:].partition("{")[0] for payload in payloads} <= INTENTS


def test_what_is_urgent_leaves_the_form() -> None:
    """Only what counts as an answer fills the form; the rules of all else run."""
    for slot in CONVERSATION["forms"]["ticket_form"]["required_slots"]:
        mapping = CONVERSATION["slots"][slot]["mappings"][0]
        assert mapping["intent"] == "form_answer"
    guarded = {
        step["intent"]
        for rule in RULES
        if "condition" not in rule
        for step in rule["steps"]
        if "intent" in step
    }
    assert guarded >= {*BY_INTENT, "cancel"}
