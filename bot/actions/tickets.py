"""Knows how the requester's tickets, sent along by the desk, are told and added to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import commands
from actions.turn import Event, Turn, remember
from actions.wording import telling_words

_MAX_TOLD = 3
_MAX_BUTTONS = 5
_MAX_LABEL = 60
_MIN_ADDED = 2  # words of something worth adding
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
_LAST_CHANGE = MappingProxyType({"en": "last change", "es": "último cambio"})
_TICKET = (
    r"(?:tickets?|requests?|cases?|incidents?|issues?|solicitud(?:es)?|casos?|incidencias?"
    r"|incidentes?|petici[oó]n(?:es)?)"
)
_AFTER = re.compile(
    rf"(?:\b{_TICKET}\b\s*(?:number|no\.?|n[uú]mero)?\s*#?\d*|#?\b\d{{2,9}}\b)\s*"
    r"(?:[,:;–-]+\s*"
    r"|(?:that|with this|with|saying(?: that)?|que|con esto|con|diciendo que)\b\s*[:,]?\s*)?"
    r"(?P<said>.*)",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE = re.compile(
    r"^(?:please |can you |could you |i want to |i'?d like to |por favor |quiero |puedes )*"
    r"(?:add|append|put|include|attach|write|a[ñn]ad\w*|agreg\w*|pon\w*|anot\w*|incluy\w*|escrib\w*)"
    rf"\s+(?P<said>.+?)\s+(?:to|on|in|al?|en)\s+(?:my |the |our |el |la |mi )?{_TICKET}?\s*#?\d*"
    r"[\s.!?]*$",
    re.IGNORECASE | re.DOTALL,
)
_NOTHING = re.compile(
    r"(?:this|that|it|esto|eso|(?:an? |some |one more |more |una? |alg[uú]n |otra? |m[aá]s )?"
    r"(?:note|comment|detail|details|information|info|something|thing|addition|update|nota"
    r"|comentario|detalle|informaci[oó]n|algo|cosa|dato|datos))(?: more| else| m[aá]s)?",
    re.IGNORECASE,
)


def asked_number(text: str) -> int | None:
    """Return the ticket number in `text`, or None."""
    match = re.search(r"(?<![\w.])#?(\d{1,9})\b", text)
    return int(match.group(1)) if match else None


def told(ticket: Mapping[str, Any], language: str) -> str:
    """Return one line on `ticket`."""
    status = str(ticket.get("status"))
    line = f"#{ticket.get('number')}: {_STATUS[language].get(status, status)}"
    subject = _subject(ticket)
    if subject:
        line += f" ({subject})"
    updated = str(ticket.get("updated_at") or "")[:10]
    if updated:
        line += f", {_LAST_CHANGE[language]} {updated}"
    return line


def addition_in(text: str) -> str | None:
    """Return what a wish to add something to a ticket says that is to be added, or None."""
    if before := _BEFORE.match(text.strip()):
        said = before.group("said").strip()
        if not _NOTHING.fullmatch(said):
            return said
    if after := _AFTER.search(text):
        said = after.group("said").strip()
        if len(said.split()) >= _MIN_ADDED and not _NOTHING.fullmatch(said.strip(" .!?")):
            return said
    return None


class ActionTicketStatus(Action):
    """Tells how a ticket stands, or the latest ones."""

    def name(self) -> str:
        return "action_ticket_status"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        tickets = turn.tickets
        number = asked_number(turn.text)
        if number is not None:
            tickets = [ticket for ticket in tickets if ticket.get("number") == number]
        else:
            tickets = _about(turn.text, tickets) or tickets
        if tickets:
            lines = "\n".join(f"- {told(ticket, turn.language)}" for ticket in tickets[:_MAX_TOLD])
            dispatcher.utter_message(response="utter_ticket_status", lines=lines)
        if not tickets or (turn.is_shared and number is None):
            _say_what_is_missing(dispatcher, turn, number)
        return remember(idle=0) if turn.in_form else remember(pending="anything_else", idle=0)


class ActionAddToTicket(Action):
    """Adds what the requester says to one of their tickets."""

    def name(self) -> str:
        return "action_add_to_ticket"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        begun = tracker.get_slot("addition") or {}
        pressed = turn.entity("number")
        if turn.pending == "detail" and pressed is None:
            return _add(dispatcher, turn, begun.get("number"), turn.text)
        if pressed is not None:
            return _add(dispatcher, turn, asked_number(str(pressed)), begun.get("text"))
        said = addition_in(turn.text)
        if turn.pending == "which_ticket":
            said = said or begun.get("text")
        number = _named(turn)
        if number is not None:
            return _add(dispatcher, turn, number, said)
        unclosed = [one for one in turn.tickets if one.get("status") != "closed"]
        if not unclosed:
            _say_what_is_missing(dispatcher, turn, None)
            return remember(pending="anything_else", addition=None, idle=0)
        if len(unclosed) == 1:
            return _add(dispatcher, turn, unclosed[0].get("number"), said)
        dispatcher.utter_message(
            response="utter_which_ticket", buttons=[_button(one) for one in unclosed[:_MAX_BUTTONS]]
        )
        return remember(pending="which_ticket", addition={"text": said}, idle=0)


def _add(
    dispatcher: CollectingDispatcher, turn: Turn, number: int | None, said: str | None
) -> list[Event]:
    """Add `said` to the requester's ticket `number`, or ask for what is missing."""
    ticket = next((one for one in turn.tickets if one.get("number") == number), None)
    if ticket is None:
        _say_what_is_missing(dispatcher, turn, number)
        return remember(pending="anything_else", addition=None, idle=0)
    if ticket.get("status") == "closed":
        dispatcher.utter_message(response="utter_ticket_is_closed", number=str(number))
        return remember(pending="anything_else", addition=None, idle=0)
    if not said or not said.strip():
        dispatcher.utter_message(response="utter_what_to_add", number=str(number))
        return remember(pending="detail", addition={"number": number}, idle=0)
    commands.add_to_ticket(dispatcher, number=int(ticket["number"]), text=said.strip())
    dispatcher.utter_message(response="utter_added_to_ticket", number=str(number))
    return remember(pending="anything_else", addition=None, misses=0, idle=0)


def _say_what_is_missing(dispatcher: CollectingDispatcher, turn: Turn, number: int | None) -> None:
    """Say that the ticket `number`, or any, is not there to be spoken of here."""
    if turn.is_shared:
        dispatcher.utter_message(response="utter_tickets_in_private")
    elif number is not None:
        dispatcher.utter_message(response="utter_ticket_unknown", number=str(number))
    else:
        dispatcher.utter_message(response="utter_no_tickets")


def _named(turn: Turn) -> int | None:
    """Return the ticket that the message names: one of theirs, else the first number."""
    if turn.pending == "which_ticket":
        return asked_number(turn.text)
    numbers = [int(digits) for digits in re.findall(r"(?<![\w.])#?(\d{1,9})\b", turn.text)]
    theirs = {ticket.get("number") for ticket in turn.tickets}
    named = re.search(
        rf"{_TICKET}\s*(?:number|no\.?|n[uú]mero)?\s*#?(\d{{1,9}})\b", turn.text, re.I
    )
    if named is not None:
        return int(named.group(1))
    return next((number for number in numbers if number in theirs), None)


def _about(text: str, tickets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of `tickets` whose subject shares a word with `text`."""
    asked = {word for word in telling_words(text) if not re.fullmatch(_TICKET, word)}
    return [one for one in tickets if asked & set(telling_words(_subject(one)))]


def _subject(ticket: Mapping[str, Any]) -> str:
    return " ".join(str(ticket.get("subject") or "").split())


def _button(ticket: Mapping[str, Any]) -> dict[str, str]:
    label = f"#{ticket.get('number')} {_subject(ticket)}"
    return {
        "title": label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1] + "…",
        "payload": f'/add_to_ticket{{"number": "{ticket.get("number")}"}}',
    }
