"""Knows when a human takes over, how urgent that is, and what the human must be told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import commands
from actions.details import detail_title, details_told
from actions.turn import Event, Turn, remember

_MAX_QUOTED = 500

_LABELS = MappingProxyType(
    {
        "en": {
            "said": "Said",
            "asked": "Asked",
            "shown": "Articles shown",
            "earlier": "Earlier",
            "also": "Also asked",
        },
        "es": {
            "said": "Mensaje",
            "asked": "Pregunta",
            "shown": "Artículos mostrados",
            "earlier": "Antes",
            "also": "También pide",
        },
    }
)


class _Route(NamedTuple):
    priority: commands.Priority
    response: str | None  # what the assistant says before the desk tells the number


ROUTES: Mapping[commands.Reason, _Route] = MappingProxyType(
    {
        "asked_for_human": _Route("normal", None),
        "out_of_scope_accepted": _Route("normal", None),
        "unsure_twice": _Route("normal", "utter_cannot_help_with_this"),
        "vip": _Route("high", "utter_cannot_help_with_this"),
        "not_helped": _Route("normal", "utter_sorry_it_did_not_help"),
        "loop": _Route("normal", "utter_cannot_help_with_this"),
        "knowledge_unavailable": _Route("normal", "utter_knowledge_unavailable"),
        "angry": _Route("high", "utter_sorry_for_anger"),
        "emergency": _Route("urgent", "utter_emergency"),
        "security_incident": _Route("urgent", "utter_security_incident"),
        "self_harm": _Route("urgent", "utter_self_harm"),
    }
)
"""What follows from each reason to hand over. ("Assistant unavailable" is the desk's to say.)"""

BY_INTENT: Mapping[str, commands.Reason] = MappingProxyType(
    {
        "ask_human": "asked_for_human",
        "angry": "angry",
        "emergency": "emergency",
        "security_incident": "security_incident",
        "self_harm": "self_harm",
    }
)
"""Intents that lead to a human at once, from any point."""

_MAX_MISSES = 2  # in a row; then a human


def most_misses(turn: Turn) -> int:
    """Return how often in a row the assistant may not know an answer before a human takes over."""
    return 1 if turn.is_vip else _MAX_MISSES


def unsure_reason(turn: Turn) -> commands.Reason:
    """Return the reason of a hand-off for want of an answer."""
    return "vip" if turn.is_vip else "unsure_twice"


def hand_over(
    dispatcher: CollectingDispatcher,
    turn: Turn,
    *,
    reason: commands.Reason,
    response: str | None = None,
) -> list[Event]:
    """Command the hand-off and return the events that end what was going on.

    The assistant says the reason's response, or `response` in its place.
    """
    route = ROUTES[reason]
    words = response or route.response
    if words:
        dispatcher.utter_message(response=words)
    commands.hand_off(dispatcher, reason=reason, priority=route.priority, summary=summary(turn))
    return [dict(ActiveLoop(None)), *remember(requested_slot=None, form=None), *forgotten()]


def forgotten() -> list[Event]:
    """Return the events after which no question is open."""
    return remember(
        pending=None, question=None, candidates=None, shown=None, tried_another=None, misses=None,
        idle=None, topic=None, later=None, details=None, addition=None,
    )  # fmt: skip


def summary(turn: Turn) -> str:
    """Return what a human needs to know, in the conversation's language, a line each."""
    label = _LABELS[turn.language]
    form = turn.form
    told = () if form is None else form.shown(turn.language)
    lines = [
        (label["earlier"], turn.context.get("summary")),
        (label["asked"], turn.question if turn.question != turn.text else None),
        (label["shown"], ", ".join(turn.shown)),
        *told,
        *((detail_title(name, turn.language), value) for name, value in details_told(turn).items()),
        (label["said"], turn.text),
        (label["also"], " / ".join(turn.later)),
    ]
    return "\n".join(f"{name}: {str(value)[:_MAX_QUOTED]}" for name, value in lines if value)


class ActionHandOff(Action):
    """Hands over at once: the requester asked for a human, or the matter is urgent."""

    def name(self) -> str:
        return "action_hand_off"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        return hand_over(dispatcher, turn, reason=BY_INTENT[turn.intent or ""])


class ActionAcceptHuman(Action):
    """The requester wants the human that was offered when no answer was known."""

    def name(self) -> str:
        return "action_accept_human"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        return hand_over(dispatcher, Turn(tracker), reason="out_of_scope_accepted")
