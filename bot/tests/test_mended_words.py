"""Features see words as they were meant; everything else sees them as typed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.mended_words import MENDED_TEXT, MendingTokenizer
from inputs.processor import DeskAgent


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> MendingTokenizer:
    """One that learned two examples, stored them and was loaded again."""
    storage = LocalModelStorage.create(Path(tmp_path_factory.mktemp("words")))
    config, resource = MendingTokenizer.get_default_config(), Resource("words")
    examples = [
        Message({TEXT: "no puedo entrar en el portal", INTENT: "problem"}),
        Message({TEXT: "reset my password", INTENT: "reset"}),
    ]
    learning = MendingTokenizer.create(config, storage, resource, None)
    learning.train(TrainingData(examples))
    return MendingTokenizer.load(config, storage, resource, None)


def read(tokenizer: MendingTokenizer, text: str) -> Message:
    return tokenizer.process([Message({TEXT: text})])[0]


def test_tokens_have_what_was_meant_and_the_place_of_what_was_typed(
    tokenizer: MendingTokenizer,
) -> None:
    typed = "Nopuedo etnrar, reset my pasword!"
    message = read(tokenizer, typed)
    tokens = [(token.text, typed[token.start : token.end]) for token in message.get("text_tokens")]
    assert tokens == [
        ("No", "Nopuedo"),
        ("puedo", "Nopuedo"),
        ("entrar", "etnrar"),
        ("reset", "reset"),
        ("my", "my"),
        ("password", "pasword"),
    ]
    assert message.get(TEXT) == typed
    assert message.get(MENDED_TEXT) == "No puedo entrar, reset my password!"


def test_what_has_no_slip_is_as_it_was(tokenizer: MendingTokenizer) -> None:
    message = read(tokenizer, "reset my password")
    assert [token.text for token in message.get(TOKENS_NAMES[TEXT])] == ["reset", "my", "password"]
    assert message.get(MENDED_TEXT) is None


@pytest.mark.parametrize("text", ["", "😀", "  ", "\u200b", "x" * 50_000, "?!"])
def test_any_text_is_read(tokenizer: MendingTokenizer, text: str) -> None:
    assert read(tokenizer, text).get(TEXT) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("has anybdy looked at my tiket", "ticket_status"),
        ("ver mis ticktes abiertos", "ticket_status"),
        ("are you a robto", "bot_challenge"),
        ("eres un robto", "bot_challenge"),
    ],
)
def test_the_assistant_understands_misspelt_messages(
    loaded: DeskAgent, typed: str, meant: str
) -> None:
    parsed = asyncio.run(loaded.parse_message(typed))
    assert parsed["intent"]["name"] == meant
    assert parsed["text"] == typed


def test_names_are_kept_as_they_were_typed(loaded: DeskAgent) -> None:
    parsed = asyncio.run(loaded.parse_message("the asset tag of my latpop is LT-20931"))
    found = [one for one in parsed["entities"] if one["entity"] == "asset_tag"]
    assert [parsed["text"][one["start"] : one["end"]] for one in found] == ["LT-20931"]
