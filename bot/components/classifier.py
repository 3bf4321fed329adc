"""Knows which intent a message has: softmax regression over word counts and sentence vectors.

Trains in seconds where Rasa's DIET takes minutes. Classes are not balanced: questions are by far
the most frequent messages, and the examples say so.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.special import softmax

_FILE = "weights.npz"
_RANKING_LENGTH = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SoftmaxClassifier(IntentClassifier, GraphComponent):
    """Multinomial logistic regression; its confidence is a probability over the intents."""

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._intents: list[str] = []
        self._weights: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._bias: npt.NDArray[np.float32] = np.zeros(0, np.float32)

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            # Vectors have length one, counts are whole numbers: unscaled, counts drown them.
            "vector_scale": 20.0,
            "C": 1.0,  # inverse strength of the regularisation
            "max_iter": 60,  # stopped early on purpose: more steps fit the examples, not people
        }

    @classmethod
    def required_components(cls) -> list[type]:
        return [Featurizer]

    @staticmethod
    def required_packages() -> list[str]:
        return ["sklearn"]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check: scikit-learn checks the numbers when it trains."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SoftmaxClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        examples = [e for e in training_data.intent_examples if e.get(TEXT) and e.get(INTENT)]
        regression = LogisticRegression(C=self._config["C"], max_iter=self._config["max_iter"])
        features = vstack([self._features(e) for e in examples]).tocsr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(features, [e.get(INTENT) for e in examples])
        self._intents = [str(name) for name in regression.classes_]
        self._weights = regression.coef_.astype(np.float32)
        self._bias = regression.intercept_.astype(np.float32)
        self._persist()
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            # A message Rasa already understood (a button in `rasa shell`) is left alone.
            if not message.get(TEXT) or (message.get(INTENT) or {}).get("name"):
                continue
            scores = self._features(message) @ self._weights.T + self._bias
            probabilities = softmax(np.asarray(scores, dtype=np.float64).ravel())
            ranking = [
                {"name": self._intents[i], "confidence": float(probabilities[i])}
                for i in np.argsort(-probabilities)[:_RANKING_LENGTH]
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _features(self, message: Message) -> csr_matrix:
        _, counts = message.get_sparse_features(TEXT)
        _, vector = message.get_dense_features(TEXT)
        return hstack(
            [
                csr_matrix(counts.features, dtype=np.float32),
                csr_matrix(vector.features * self._config["vector_scale"], dtype=np.float32),
            ]
        )

    def _persist(self) -> None:
        with self._storage.write_to(self._resource) as folder:
            np.savez_compressed(
                folder / _FILE,
                intents=np.array(self._intents),
                weights=self._weights,
                bias=self._bias,
            )

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SoftmaxClassifier:
        classifier = cls(config, model_storage, resource)
        with (
            model_storage.read_from(resource) as folder,
            np.load(folder / _FILE, allow_pickle=False) as stored,
        ):
            classifier._intents = [str(name) for name in stored["intents"]]
            classifier._weights = stored["weights"]
            classifier._bias = stored["bias"]
        return classifier
