"""Gives the features of a message its words as they were meant; all else sees them as typed."""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.alarms import BY_LANGUAGE
from components.spelling.mending import Change, Examples, Mender, applied, typed_at

MENDED_TEXT = "mended_text"
"""The text of a message with its slips mended; not there where there are none."""

_FILE = "words.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=True)
class MendingTokenizer(WhitespaceTokenizer):
    """Splits a text into words, and reads those with slips as what the examples suggest.

    A token has the text that was meant and the place of what was typed. Examples are learned as
    they are: a slip that is in them is known.
    """

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        super().__init__(config)
        self._storage = model_storage
        self._resource = resource
        self._mender = Mender(Examples.of([]), [])

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {**WhitespaceTokenizer.get_default_config(), "languages": list(BY_LANGUAGE)}

    @staticmethod
    def required_packages() -> list[str]:
        return ["wordfreq"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MendingTokenizer:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        texts = [str(e.get(TEXT)) for e in training_data.intent_examples if e.get(TEXT)]
        with self._storage.write_to(self._resource) as folder:
            (folder / _FILE).write_text(json.dumps(Examples.of(texts).as_json()), "utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> MendingTokenizer:
        tokenizer = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            examples = Examples.from_json(json.loads((folder / _FILE).read_text("utf-8")))
        tokenizer._mender = Mender(examples, config["languages"])
        return tokenizer

    def process(self, messages: list[Message]) -> list[Message]:
        for message in super().process(messages):
            text = message.get(TEXT)
            changes = self._mender.changes(text) if text else []
            if changes:
                mended = Message({TEXT: applied(text, changes)})
                tokens = self.tokenize(mended, TEXT)
                message.set(MENDED_TEXT, mended.get(TEXT))
                message.set(TOKENS_NAMES[TEXT], [_as_typed(token, changes) for token in tokens])
        return messages


def _as_typed(token: Token, changes: list[Change]) -> Token:
    """Return `token` of the mended text with the place of what was typed for it."""
    start, _ = typed_at(token.start, changes)
    _, end = typed_at(token.end - 1, changes)
    return Token(token.text, start, end)
