"""Puts what `components.urgent` recognises above the statistical classifier."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from components.urgent import recognise


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class UrgentPhrases(IntentClassifier, GraphComponent):
    """Sets the intent of messages that must not be missed, wherever in the text it is said."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to configure."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> UrgentPhrases:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            intent = recognise(message.get(TEXT) or "")
            if intent is None:
                continue
            found = {"name": intent, "confidence": 1.0}
            others = [
                ranked
                for ranked in message.get(INTENT_RANKING_KEY) or []
                if ranked["name"] != intent
            ]
            message.set(INTENT, found, add_to_output=True)
            message.set(INTENT_RANKING_KEY, [found, *others], add_to_output=True)
        return messages
