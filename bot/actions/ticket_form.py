"""Knows what the ticket form asks, how its answers are read, and what becomes of them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.types import DomainDict

from actions import commands
from actions.handing_over import form_cleared
from actions.turn import Event, Turn, remember
from components.urgent import plain

_MAX_SUBJECT = 80
_MIN_WORDS = 3  # for what was said together with "I want to report a problem"
_MIN_LETTER_WORDS = 9  # of a letter that says what it is about, and not only that it is a report
_KINDS = MappingProxyType({"report_problem": "incident", "request_service": "request"})

_URGENCY = MappingProxyType(
    {
        "urgent": r"\b(?:urgent(?:e|isimo)?|critical|critic[oa]|asap|immediately|inmediat\w*|now|ya"
        r"|right away|emergency|cuanto antes|can(?:no|')?t work|no puedo trabajar|4)\b",
        "high": r"\b(?:high|alt[oa]|very|muy|important(?:e)?|bastante|soon|pronto|today|hoy|3)\b",
        "low": r"\b(?:low|baj[oa]|no (?:rush|hurry|hay prisa|es urgente|corre prisa|hay apuro)"
        r"|not (?:\w+ )?urgent|sin prisa|whenever|cuando pueda[ns]?|poc[oa]|minor|1)\b",
        "normal": r"\b(?:normal|medium|medi[oa]|regular|standard|moderate|mas o menos|so so|2)\b",
    }
)
_URGENCY_IN_LETTER = MappingProxyType(
    {
        "low": r"\b(?:no (?:rush|hurry|hay prisa|es urgente|corre prisa|hay apuro)"
        r"|not (?:\w+ )?urgent|sin prisa|low priority|prioridad baja)\b",
        "urgent": r"\b(?:urgent(?:e|isimo|ly|emente)?|asap|as soon as possible|cuanto antes"
        r"|can(?:not|'?t| not) work|no puedo trabajar)\b",
    }
)
"""What says in passing how urgent a letter is: most words of `_URGENCY` say other things there."""

_LEAD = re.compile(
    r"^.*?\b(?:report|raise|open|log|file|create|submit|reportar|abrir|crear|poner|registrar"
    r"|notificar|levantar|solicitar|hacer)\b[^:,.;\n-]*?\b(?:problems?|issues?|tickets?|incidents?"
    r"|faults?|requests?|problemas?|incidencias?|incidentes?|averias?|aver[ií]as?|solicitud(?:es)?"
    r"|petici[oó]n(?:es)?)\b\s*(?:[:,.;\n-]+|\b(?:with|about|because|that|con|sobre|porque|de que"
    r"|que)\b)\s*",
    re.IGNORECASE | re.DOTALL,
)
_CORRECTION = re.compile(
    r"^(?:(?:no|sorry|wait|oops|perdon|espera|ups)[,. ]+)*(?:actually|correction|i meant|i mean"
    r"|it'?s actually|en realidad|correccion|quise decir|queria decir|me referia a|me refiero a"
    r"|mejor dicho)\b[:,. ]*"
)


def read_urgency(text: str) -> commands.Priority | None:
    """Return the urgency that `text` names, or None."""
    said = plain(text)
    # "not urgent" contains "urgent": what lowers is looked for first.
    for urgency in ("low", "urgent", "high", "normal"):
        if re.search(_URGENCY[urgency], said):
            return urgency
    return None


def urgency_of_letter(text: str) -> commands.Priority:
    """Return how urgent a whole letter says it is."""
    said = plain(text)
    for urgency in ("low", "urgent"):
        if re.search(_URGENCY_IN_LETTER[urgency], said):
            return urgency
    return "normal"


def said_along(text: str) -> str | None:
    """Return what a request for the form says of the matter itself, or None."""
    lead = _LEAD.match(text)
    rest = text[lead.end() :].strip() if lead else ""
    return rest if len(rest.split()) >= _MIN_WORDS else None


def subject_of(what: str) -> str:
    """Return the first line of `what`, cut at a word."""
    line = " ".join(what.strip().splitlines()[0].split())
    if len(line) <= _MAX_SUBJECT:
        return line
    return line[: _MAX_SUBJECT - 1].rsplit(" ", 1)[0] + "…"


class ActionBeginTicket(Action):
    """Prepares the form: an incident or a request, and what was already said of it."""

    def name(self) -> str:
        return "action_begin_ticket"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        what = said_along(turn.text)
        if turn.is_by_letter and what is None and len(turn.text.split()) >= _MIN_LETTER_WORDS:
            what = turn.text
        return [
            *form_cleared(),
            *remember(
                by_letter=turn.is_by_letter,
                ticket_kind=_KINDS.get(turn.intent or "", "incident"),
                ticket_what=what,
                ticket_urgency=urgency_of_letter(turn.text) if turn.is_by_letter else None,
                pending=None,
                idle=0,
            ),
        ]


class ValidateTicketForm(FormValidationAction):
    """Reads the form's answers; anything written is accepted as an answer."""

    def name(self) -> str:
        return "validate_ticket_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[str]:
        if Turn(tracker).is_by_letter:
            return [name for name in domain_slots if name == "ticket_what"]
        if Turn(tracker).form.get("kind") == "request":
            return [name for name in domain_slots if name != "ticket_since"]
        return domain_slots

    def validate_ticket_what(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        what = "" if value is None else str(value).strip()
        read: dict[str, Any] = {"ticket_what": what if re.search(r"\w", what) else None}
        if Turn(tracker).is_by_letter:
            read["ticket_urgency"] = urgency_of_letter(what)
        return read

    def validate_ticket_urgency(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        if value is None:
            return {"ticket_urgency": None}
        turn = Turn(tracker)
        pressed = turn.entity("urgency")
        if pressed in _URGENCY:
            return {"ticket_urgency": pressed}
        said = plain(str(value))
        correction = _CORRECTION.match(said)
        if correction and read_urgency(said) is None:
            return {"ticket_urgency": None, "ticket_what": _corrected(turn.text, correction)}
        return {"ticket_urgency": read_urgency(said) or "normal"}

    def validate_ticket_since(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        if value is None:
            return {"ticket_since": None}
        said = plain(str(value))
        correction = _CORRECTION.match(said)
        if correction is None:
            return {"ticket_since": str(value).strip() or "-"}
        urgency = read_urgency(said)
        if urgency is not None:
            return {"ticket_since": None, "ticket_urgency": urgency}
        return {"ticket_since": None, "ticket_what": _corrected(str(value), correction)}


def _corrected(text: str, correction: re.Match[str]) -> str:
    # The match is on folded text; folding keeps words, so the words after the lead are counted.
    lead_words = len(correction.group().split())
    return " ".join(text.split()[lead_words:]) or text


class ActionSubmitTicket(Action):
    """Commands the ticket."""

    def name(self) -> str:
        return "action_submit_ticket"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        form = Turn(tracker).form
        dispatcher.utter_message(response="utter_ticket_thanks")
        commands.open_ticket(
            dispatcher,
            kind=form["kind"],
            subject=subject_of(form["what"]),
            description=form["what"],
            urgency=form["urgency"],
            since=form.get("since"),
        )
        return [*form_cleared(), *remember(misses=0, idle=0)]


class ActionCancel(Action):
    """Leaves the form, or whatever question is open."""

    def name(self) -> str:
        return "action_cancel"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        in_form = Turn(tracker).in_form
        dispatcher.utter_message(response="utter_cancelled" if in_form else "utter_fine")
        return [
            dict(ActiveLoop(None)),
            *remember(requested_slot=None, pending=None, misses=0),
            *form_cleared(),
        ]
