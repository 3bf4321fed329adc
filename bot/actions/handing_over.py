"""Knows when a human takes over, how urgent that is, and what the human must be told."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import commands
from actions.turn import Event, Turn, remember

_MAX_QUOTED = 500

_LABELS = MappingProxyType(
    {
        "en": {
            "said": "Said",
            "asked": "Asked",
            "shown": "Articles shown",
            "kind": "Form",
            "what": "What",
            "urgency": "Urgency",
            "since": "Since",
            "earlier": "Earlier",
        },
        "es": {
            "said": "Mensaje",
            "asked": "Pregunta",
            "shown": "Artículos mostrados",
            "kind": "Formulario",
            "what": "Qué ocurre",
            "urgency": "Urgencia",
            "since": "Desde cuándo",
            "earlier": "Antes",
        },
    }
)


class _Route(NamedTuple):
    reason: commands.Reason
    priority: commands.Priority
    response: str | None  # what the assistant says before the desk tells the number


BY_INTENT = MappingProxyType(
    {
        "ask_human": _Route("asked_for_human", "normal", None),
        "angry": _Route("angry", "high", "utter_sorry_for_anger"),
        "emergency": _Route("emergency", "urgent", "utter_emergency"),
        "security_incident": _Route("security_incident", "urgent", "utter_security_incident"),
        "self_harm": _Route("self_harm", "urgent", "utter_self_harm"),
    }
)


def hand_over(
    dispatcher: CollectingDispatcher,
    turn: Turn,
    *,
    reason: commands.Reason,
    priority: commands.Priority = "normal",
    response: str | None = None,
) -> list[Event]:
    """Say `response`, command the hand-off, and return the events that end what was going on."""
    if response:
        dispatcher.utter_message(response=response)
    commands.hand_off(dispatcher, reason=reason, priority=priority, summary=summary(turn))
    return [dict(ActiveLoop(None)), *remember(requested_slot=None), *forgotten(), *form_cleared()]


def forgotten() -> list[Event]:
    """Return the events after which no question is open."""
    return remember(
        pending=None, question=None, candidates=None, shown=None, tried_another=None, misses=None,
        idle=None,
    )  # fmt: skip


def form_cleared() -> list[Event]:
    return remember(ticket_kind=None, ticket_what=None, ticket_urgency=None, ticket_since=None)


def summary(turn: Turn) -> str:
    """Return what a human needs to know, in the conversation's language, a line each."""
    label = _LABELS[turn.language]
    form = turn.form
    lines = [
        (label["earlier"], turn.context.get("summary")),
        (label["asked"], turn.question if turn.question != turn.text else None),
        (label["shown"], ", ".join(turn.shown)),
        *((label[name], form.get(name)) for name in ("kind", "what", "urgency", "since")),
        (label["said"], turn.text),
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
        route = BY_INTENT[turn.intent or ""]
        return hand_over(
            dispatcher,
            turn,
            reason=route.reason,
            priority=route.priority,
            response=route.response,
        )


class ActionAcceptHuman(Action):
    """The requester wants the human that was offered when no answer was known."""

    def name(self) -> str:
        return "action_accept_human"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        return hand_over(dispatcher, Turn(tracker), reason="out_of_scope_accepted")
