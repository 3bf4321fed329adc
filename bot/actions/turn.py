"""Knows where a turn's facts stand in Rasa's tracker: message, memory, the desk's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rasa_sdk.events import SlotSet
from rasa_sdk.interfaces import Tracker

Event = dict[str, Any]
Pending = Literal["did_help", "choose", "human_offer", "anything_else"]
"""The question the assistant has put and the requester has not answered yet."""


class Turn:
    """A typed view of the tracker an action is given."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    @property
    def text(self) -> str:
        return str(self._tracker.latest_message.get("text") or "")

    @property
    def intent(self) -> str | None:
        name = self._tracker.latest_message.get("intent", {}).get("name")
        return None if name is None else str(name)

    def entity(self, name: str) -> Any:
        """Return what a pressed button carries under `name`, or None."""
        return next(self._tracker.get_latest_entity_values(name), None)

    @property
    def context(self) -> Mapping[str, Any]:
        """What the desk sent along; empty on a channel that is not the desk's."""
        metadata = self._tracker.latest_message.get("metadata") or {}
        context = metadata.get("context")
        return context if isinstance(context, dict) else {}

    @property
    def is_by_letter(self) -> bool:
        """Whether the requester answers in letters: each question more is a letter more."""
        return bool(self.context.get("by_letter"))

    @property
    def language(self) -> str:
        return str(self._tracker.get_slot("language") or "en")

    @property
    def pending(self) -> Pending | None:
        pending: Pending | None = self._tracker.get_slot("pending")
        return pending

    @property
    def question(self) -> str | None:
        """The latest question put to the knowledge base."""
        question = self._tracker.get_slot("question")
        return None if question is None else str(question)

    @property
    def candidates(self) -> Sequence[Mapping[str, Any]]:
        """What the knowledge base found for `question`, best first."""
        return self._tracker.get_slot("candidates") or ()

    @property
    def shown(self) -> Sequence[str]:
        """The articles shown as answers to `question`."""
        return self._tracker.get_slot("shown") or ()

    @property
    def tried_another(self) -> bool:
        return bool(self._tracker.get_slot("tried_another"))

    @property
    def misses(self) -> int:
        """How often in a row the assistant did not know what to answer."""
        return int(self._tracker.get_slot("misses") or 0)

    @property
    def idle(self) -> int:
        """How often in a row the requester said nothing that could be acted on."""
        return int(self._tracker.get_slot("idle") or 0)

    @property
    def greeted(self) -> bool:
        return bool(self._tracker.get_slot("greeted"))

    @property
    def form(self) -> Mapping[str, Any]:
        """What the ticket form has collected so far."""
        names = ("ticket_kind", "ticket_what", "ticket_urgency", "ticket_since")
        slots = {name.removeprefix("ticket_"): self._tracker.get_slot(name) for name in names}
        return {name: value for name, value in slots.items() if value is not None}

    @property
    def in_form(self) -> bool:
        return bool((self._tracker.active_loop or {}).get("name"))


def remember(**slots: Any) -> list[Event]:
    """Return the events that set `slots`."""
    return [dict(SlotSet(name, value)) for name, value in slots.items()]
