"""Puts what `components.urgent` recognises above the statistical classifier, and keeps the latter
from raising an alarm on a faint suspicion."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from components.urgent import recognise


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class UrgentPhrases(IntentClassifier, GraphComponent):
    """Sets the intent of messages that must not be missed, wherever in the text it is said."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [IntentClassifier]

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        # Without a known wording, an urgent intent must be this probable, or it is a question.
        return {
            "alone": {
                "self_harm": 0.6,
                "emergency": 0.6,
                "security_incident": 0.6,
                "ask_human": 0.7,
                "angry": 0.75,
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
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            intent = recognise(message.get(TEXT) or "")
            if intent is not None:
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
