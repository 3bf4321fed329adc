"""Puts what `components.alarms` recognises above the statistical classifier, and keeps the latter
from raising an alarm on a faint suspicion."""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.alarms import recognise
from components.mended_words import MENDED_TEXT

_FILE = "intents.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class UrgentPhrases(IntentClassifier, GraphComponent):
    """Sets the intent of messages that must not be missed, wherever in the text it is said.

    Stands last in the pipeline. (Rasa cannot be told: a component that learns would have to learn
    after those it requires.)
    Only intents that the examples know are set: an assistant trained for something else, with
    other intents, has no rule for these.
    """

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._known: frozenset[str] = frozenset()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        # Without a known wording, an urgent intent needs this confidence, or it is a question.
        return {
            "alone": {
                "self_harm": 0.75,
                "emergency": 0.75,
                "security_incident": 0.85,
                "ask_human": 0.8,
                "angry": 0.85,
            }
        }

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check: thresholds by intent."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> UrgentPhrases:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        self._known = frozenset(str(intent) for intent in training_data.intents)
        with self._storage.write_to(self._resource) as folder:
            (folder / _FILE).write_text(json.dumps(sorted(self._known)), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> UrgentPhrases:
        phrases = cls(config, model_storage, resource)
        recognise("")  # reads the words in use now, not when the first message waits
        with model_storage.read_from(resource) as folder:
            phrases._known = frozenset(json.loads((folder / _FILE).read_text(encoding="utf-8")))
        return phrases

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            intent = recognise(message.get(TEXT) or "", message.get(MENDED_TEXT))
            if intent in self._known:
                _put_first(message, {"name": intent, "confidence": 1.0})
            elif self._is_faint(message.get(INTENT) or {}):
                confidence = message.get(INTENT)["confidence"]
                _put_first(
                    message, {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": confidence}
                )
        return messages

    def _is_faint(self, intent: dict[str, Any]) -> bool:
        needed = self._config["alone"].get(intent.get("name"), 0.0)
        return bool(intent.get("confidence", 1.0) < needed)


def _put_first(message: Message, found: dict[str, Any]) -> None:
    ranking = message.get(INTENT_RANKING_KEY) or []
    others = [ranked for ranked in ranking if ranked["name"] != found["name"]]
    message.set(INTENT, found, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [found, *others], add_to_output=True)
