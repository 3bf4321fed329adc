"""Knows how the requester's tickets, sent along by the desk, are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.turn import Event, Turn, remember

_MAX_TOLD = 3
_STATUS = MappingProxyType(
    {
        "en": {
            "new": "new, waiting for a colleague",
            "open": "being worked on",
            "pending": "waiting for your answer",
            "on_hold": "on hold",
            "solved": "solved",
            "closed": "closed",
        },
        "es": {
            "new": "nuevo, a la espera de una persona",
            "open": "en curso",
            "pending": "a la espera de su respuesta",
            "on_hold": "en pausa",
            "solved": "resuelto",
            "closed": "cerrado",
        },
    }
)


def asked_number(text: str) -> int | None:
    """Return the ticket number in `text`, or None."""
    match = re.search(r"(?<![\w.])#?(\d{1,9})\b", text)
    return int(match.group(1)) if match else None


def told(ticket: Mapping[str, Any], language: str) -> str:
    """Return one line on `ticket`."""
    status = str(ticket.get("status"))
    line = f"#{ticket.get('number')}: {_STATUS[language].get(status, status)}"
    subject = " ".join(str(ticket.get("subject") or "").split())
    if subject:
        line += f" ({subject})"
    updated = str(ticket.get("updated_at") or "")[:10]
    if updated:
        line += f", {'last change' if language == 'en' else 'último cambio'} {updated}"
    return line


class ActionTicketStatus(Action):
    """Tells how a ticket stands, or the latest ones."""

    def name(self) -> str:
        return "action_ticket_status"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        tickets: Sequence[Mapping[str, Any]] = turn.context.get("tickets") or ()
        number = asked_number(turn.text)
        if number is not None:
            tickets = [ticket for ticket in tickets if ticket.get("number") == number]
        if tickets:
            lines = "\n".join(f"- {told(ticket, turn.language)}" for ticket in tickets[:_MAX_TOLD])
            dispatcher.utter_message(response="utter_ticket_status", lines=lines)
        elif number is not None:
            dispatcher.utter_message(response="utter_ticket_unknown", number=str(number))
        else:
            dispatcher.utter_message(response="utter_no_tickets")
        return remember(pending="anything_else", idle=0)
