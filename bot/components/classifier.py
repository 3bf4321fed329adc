"""Knows which intent a message has: softmax regression over weighted counts and sentence vectors.

Trains in seconds where Rasa's DIET takes minutes. Classes are not balanced: questions are by far
the most frequent messages, and the examples say so.

A confidence is not the regression's probability: that says how far an intent stands above the
others, and may be high for a message that is like none of them but a little more like one. It
counts by half; the other half is how far the intent stands above the mean of all, which what is
unlike all examples does not (the largest logit: Hendrycks et al., 2019, arXiv:1911.11132). Both
together are seen from a threshold, which is put at 0.5. Messages kept out of a first training
decide where it lies: at most `refused` of those understood rightly may fall below it. So one
setting means the same for twenty intents and for two hundred, for many examples and for few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, diags, hstack, vstack
from scipy.special import expit

from components.regression import Floats, Rows, Weights, fitted

_FILE = "weights.npz"
_RANKING_LENGTH = 5
_SEED = 1
_FOLDS = 5
_JUDGED = 1500  # messages kept out of a training, at least, where there are as many
_OTHERS = 0.5  # what the other intents count for; 1 would be the log-odds of the probability
_LEAST = 1e-6  # what the others reach, at least, as a share of the best


@dataclass(frozen=True)
class Scale:
    """How features are brought to one scale; learned from the examples.

    Counts are weighted by how rare their word is and each featurizer's row is given length one, so
    that long messages weigh no more than short ones. The numbers of sentence vectors, which all
    lie close together, are spread to mean zero and variance one.
    """

    rarity: tuple[Floats, ...]  # one array for each featurizer that counts
    mean: Floats  # of the numbers of all sentence vectors, one vector after the other
    spread: Floats

    @classmethod
    def of(cls, counts: list[csr_matrix], vectors: list[Floats], share: float) -> Scale:
        """Learn the scale; the length of each scaled vector is about `share`."""
        number = len(vectors[0])
        rarity = tuple(
            np.asarray(
                np.log((1 + number) / (1 + block.getnnz(axis=0))) + 1, dtype=np.float32
            ).ravel()
            for block in counts
        )
        mean = np.hstack([one.mean(axis=0) for one in vectors])
        spread = np.hstack(
            [share / np.sqrt(one.shape[1]) / np.maximum(one.std(axis=0), 1e-6) for one in vectors]
        )
        return cls(rarity, mean, spread.astype(np.float32))

    def applied(self, counts: list[csr_matrix], vectors: list[Floats]) -> Rows:
        """Return all features, a row a message."""
        blocks = []
        for block, rarity in zip(counts, self.rarity, strict=True):
            weighed = block.tocsr().astype(np.float32)
            weighed.data = (1 + np.log(weighed.data)).astype(np.float32)
            weighed = weighed.multiply(rarity).tocsr()
            lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1))).ravel()
            blocks.append(diags(1 / np.maximum(lengths, 1e-6)) @ weighed)
        spread = (np.hstack(vectors) - self.mean) * self.spread
        return Rows(hstack(blocks).tocsr().astype(np.float32), spread.astype(np.float32))

    def logits(self, counts: list[csr_matrix], vectors: list[Floats], weights: Floats) -> Floats:
        """Return what `applied(…).times(weights)` has for one message, its only row.

        Of the weights, a row a feature, only those of its own words are read; matrices of one row
        cost more to make than all there is to add up.
        """
        vector = np.hstack(vectors)[0]
        logits: Floats = ((vector - self.mean) * self.spread) @ weights[-len(self.mean) :]
        first = 0
        for block, rarity in zip(counts, self.rarity, strict=True):
            weighed = (1 + np.log(block.data)).astype(np.float32) * rarity[block.indices]
            length = max(float(np.sqrt(weighed @ weighed)), 1e-6)
            logits = logits + (weighed / np.float32(length)) @ weights[first + block.indices]
            first += len(rarity)
        return logits


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SoftmaxClassifier(IntentClassifier, GraphComponent):
    """Multinomial logistic regression; a confidence below 0.5 means "rather something else"."""

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._scale = Scale((), np.zeros(0, np.float32), np.zeros(0, np.float32))
        self._learned = Weights([], np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
        self._threshold = 0.0

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            "vector_share": 1.75,  # length of each sentence vector; that of counts is one
            "C": 10.0,  # inverse strength of the regularisation
            "max_iter": 40,  # stopped early on purpose: more steps fit the examples, not people
            "refused": 0.005,  # share of the rightly understood that may be held out of scope
        }

    @classmethod
    def required_components(cls) -> list[type]:
        return [Featurizer]

    @staticmethod
    def required_packages() -> list[str]:
        return ["scipy"]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check: numbers."""

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
        examples = [e for e in training_data.intent_examples if e.get(TEXT) and e.get(INTENT)]
        counts, vectors = _features(examples)
        self._scale = Scale.of(counts, vectors, self._config["vector_share"])
        features = self._scale.applied(counts, vectors)
        meant = np.array([str(e.get(INTENT)) for e in examples])
        self._threshold = self._fitting_threshold(features, meant)
        self._learned = self._regression(features, meant)
        self._persist()
        return self._resource

    def _regression(self, features: Rows, meant: npt.NDArray[np.str_]) -> Weights:
        return fitted(features, meant, c=self._config["C"], steps=self._config["max_iter"])

    def _fitting_threshold(self, features: Rows, meant: npt.NDArray[np.str_]) -> float:
        """Return the score that all but `refused` of the rightly understood reach."""
        order = np.random.default_rng(_SEED).permutation(len(meant))
        reached: list[float] = []
        judged = 0
        for fold in range(_FOLDS):
            if judged >= _JUDGED:
                break
            kept_out = np.sort(order[fold::_FOLDS])
            others = np.setdiff1d(order, kept_out)
            if len(set(meant[others])) < 2 or not len(kept_out):
                continue
            learned = self._regression(features[others], meant[others])
            logits = features[kept_out].times(learned.weights) + learned.bias
            best = logits.argmax(axis=1)
            right = np.array(learned.intents)[best] == meant[kept_out]
            reached += scores(logits[right]).max(axis=1).tolist()
            judged += len(kept_out)
        if not reached:
            return 0.0
        return float(np.quantile(reached, self._config["refused"]))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            # A message Rasa already understood (a button in `rasa shell`) is left alone.
            if not message.get(TEXT) or (message.get(INTENT) or {}).get("name"):
                continue
            counts, vectors = _features([message])
            logits = self._scale.logits(counts, vectors, self._learned.weights)
            reached = scores(logits + self._learned.bias)
            best = np.argsort(-reached)[:_RANKING_LENGTH]
            confidences = expit(reached[best] - self._threshold).tolist()
            ranking = [
                {"name": self._learned.intents[i], "confidence": confidence}
                for i, confidence in zip(best, confidences, strict=True)
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _persist(self) -> None:
        with self._storage.write_to(self._resource) as folder:
            np.savez_compressed(
                folder / _FILE,
                intents=np.array(self._learned.intents),
                weights=self._learned.weights.T,  # a row an intent, as models have always been kept
                bias=self._learned.bias,
                mean=self._scale.mean,
                spread=self._scale.spread,
                threshold=self._threshold,
                **{f"rarity_{i}": rarity for i, rarity in enumerate(self._scale.rarity)},
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
            classifier._learned = Weights(
                [str(name) for name in stored["intents"]],
                np.ascontiguousarray(stored["weights"].T),
                stored["bias"],
            )
            blocks = sum(name.startswith("rarity_") for name in stored.files)
            rarity = tuple(stored[f"rarity_{i}"] for i in range(blocks))
            classifier._scale = Scale(rarity, stored["mean"], stored["spread"])
            classifier._threshold = float(stored["threshold"])
        return classifier


def scores(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return each intent's logit less half of what the others reach together; their order stays.

    `logits` has intents along its last axis, at least two; their mean is 0, as the regression's is.
    """
    exact = np.asarray(logits, dtype=np.float64)
    largest = exact.max(axis=-1, keepdims=True)
    shares = np.exp(exact - largest)
    others = np.maximum(shares.sum(axis=-1, keepdims=True) - shares, _LEAST)
    reached: npt.NDArray[np.float64] = exact - _OTHERS * (largest + np.log(others))
    return reached


def _features(messages: list[Message]) -> tuple[list[csr_matrix], list[Floats]]:
    """Return the counts and the sentence vectors, a matrix for each featurizer."""
    counts: dict[str, list[csr_matrix]] = {}
    vectors: dict[str, list[Floats]] = {}
    for message in messages:
        for feature in message.features:
            if feature.attribute != TEXT or feature.type != FEATURE_TYPE_SENTENCE:
                continue
            of_its_kind = counts if feature.is_sparse() else vectors
            of_its_kind.setdefault(feature.origin, []).append(feature.features)
    dense = [np.vstack(rows) for rows in vectors.values()]
    if len(messages) == 1:
        return [rows[0].tocsr() for rows in counts.values()], dense
    return [vstack(rows).tocsr() for rows in counts.values()], dense
