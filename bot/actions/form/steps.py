"""The form's actions: begin, ask, read, interrupt, drop, send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.types import DomainDict

from actions import commands
from actions.catalogue import form_of, offer, wanted
from actions.details import details_told
from actions.form.beginning import said_along
from actions.form.fields import URGENCIES, Field, urgency_of_letter
from actions.form.moves import CHANGE, CONFIRM, SKIPPED, move
from actions.form.state import Form
from actions.knowledge import Knowledge, KnowledgeUnavailable
from actions.turn import Event, Turn, remember

FORM_ANSWER = "form_answer"
_MIN_LETTER_WORDS = 9  # of a letter that says what it is about, and not only that it is a report
_KINDS = MappingProxyType({"report_problem": "incident", "request_service": "request"})
_BUTTONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "low": "Low",
            "normal": "Normal",
            "high": "High",
            "urgent": "Urgent: I cannot work",
            "send": "Send it",
            "change": "Change something",
            "cancel": "Cancel",
            "skip": "Skip",
        },
        "es": {
            "low": "Baja",
            "normal": "Normal",
            "high": "Alta",
            "urgent": "Urgente: no puedo trabajar",
            "send": "Enviar",
            "change": "Cambiar algo",
            "cancel": "Cancelar",
            "skip": "Omitir",
        },
    }
)
_ASKED_BY_NAME = MappingProxyType(
    {"urgency": "utter_ask_form_urgency", "since": "utter_ask_form_since"}
)


_ASKED_BY_KIND = MappingProxyType({"date": "utter_ask_form_date"})


class ActionBeginTicket(Action):
    """Prepares the form: an incident or a request, and what was already said of it.

    A request for what the catalogue has gets the form of that item.
    """

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_begin_ticket"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        kind = _KINDS.get(turn.intent or "", "incident")
        # Of a request that no article answered, the question says what is needed.
        said = turn.question if turn.pending == "file_offer" and turn.question else turn.text
        what = said_along(said, kind)
        if turn.is_by_letter and what is None and len(said.split()) >= _MIN_LETTER_WORDS:
            what = said
        if kind == "request" and what is not None and turn.pending != "file_offer":
            items = await wanted(turn, self._knowledge, what)
            if len(items) == 1:
                return remember(
                    form=form_of(items[0], turn).slot(), form_answer=None, pending=None, idle=0
                )
            if items:
                # The loop that follows has nothing to ask for, and ends: first they choose.
                return [
                    *remember(form=None, form_answer=None),
                    *offer(dispatcher, turn, items, what),
                ]
        form = Form.begun(kind, what=what, is_by_letter=turn.is_by_letter)
        return remember(
            form=form.slot(), form_answer=None, pending=None, idle=0, details=dict(turn.details)
        )


class ValidateTicketForm(FormValidationAction):
    """Reads what is said in the form."""

    def name(self) -> str:
        return "validate_ticket_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[str]:
        form = Form.from_slot(tracker.get_slot("form"))
        return [] if form is None or form.is_done else domain_slots

    def validate_form_answer(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        turn = Turn(tracker)
        form = turn.form
        if value is None or form is None:
            return {"form_answer": None}
        pressed = {
            name: str(said)
            for name in ("field", "value")
            if (said := turn.entity(name)) is not None
        }
        made = move(form, str(value), pressed)
        if made.form.is_choosing:
            dispatcher.utter_message(
                response="utter_which_field", buttons=_fields_to_change(made.form, turn.language)
            )
        elif not made.is_understood:
            dispatcher.utter_message(response="utter_form_not_understood")
        return {"form_answer": None, "form": made.form.slot(), "details": dict(turn.details)}


class ActionAskFormAnswer(Action):
    """Asks for the next field; when all are filled, shows them before anything is sent."""

    def name(self) -> str:
        return "action_ask_form_answer"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        form = turn.form
        if form is None or form.is_choosing:
            return []
        field = form.open_field
        language = turn.language
        if field is None:
            shown = [f"- **{name}**: {value}" for name, value in form.shown(language)]
            lines = "\n".join([f"**{form.title}**", *shown] if form.item else shown)
            dispatcher.utter_message(
                response="utter_form_summary",
                lines=lines,
                buttons=[
                    _button(_BUTTONS[language]["send"], CONFIRM, "send"),
                    _button(_BUTTONS[language]["change"], CONFIRM, "change"),
                    {"title": _BUTTONS[language]["cancel"], "payload": "/cancel"},
                ],
            )
        elif field.name == "what" and not form.item:
            manner = "_by_letter" if form.is_by_letter else ""
            dispatcher.utter_message(response=f"utter_ask_form_{form.kind}{manner}")
        else:
            if form.item and not form.values:
                dispatcher.utter_message(response="utter_item_begins", title=form.title)
            usual = _ASKED_BY_KIND.get(field.kind, "utter_ask_form_field")
            response = _ASKED_BY_NAME.get(field.name, usual)
            dispatcher.utter_message(
                response=response, label=field.title(language), buttons=_answers(field, language)
            )
        return []


class ActionAnswerInForm(Action):
    """Answers a question asked in the middle of a form.

    Where a description is asked for, a question that nothing answers is the description; else it
    goes into the ticket.
    """

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge.from_environment()

    def name(self) -> str:
        return "action_answer_in_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        form = turn.form
        if form is None:
            return []
        try:
            found = await self._knowledge.search(
                turn.text, language=turn.language, conversation=turn.conversation
            )
        except KnowledgeUnavailable:
            found = None
        if found is not None and found.outcome == "answer":
            best = found.articles[0]
            commands.answer(dispatcher, article_id=best["article_id"], score=best["score"])
            dispatcher.utter_message(response="utter_form_goes_on")
            return remember(form=form.choosing(False).slot())
        field = form.open_field
        if field is not None and field.kind == "text":
            return remember(form=form.filled(field.name, turn.text).choosing(False).slot())
        dispatcher.utter_message(response="utter_question_is_noted")
        return remember(form=form.adding(turn.text).choosing(False).slot())


class ActionGoOnWithForm(Action):
    """Takes note of a courtesy or of a button of before, and goes on."""

    def name(self) -> str:
        return "action_go_on_with_form"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        helped = turn.intent == "helped"
        dispatcher.utter_message(
            response="utter_helped_in_form" if helped else "utter_form_goes_on"
        )
        return [] if turn.form is None else remember(form=turn.form.choosing(False).slot())


class ActionSubmitTicket(Action):
    """Commands the ticket."""

    def name(self) -> str:
        return "action_submit_ticket"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        form = turn.form
        if form is None:
            return []
        dispatcher.utter_message(response="utter_ticket_thanks")
        commands.open_ticket(
            dispatcher,
            kind="request" if form.kind == "request" else "incident",
            subject=form.subject,
            description="\n".join((form.description, *turn.later)),
            urgency=_urgency(form),
            since=form.values.get("since") or None,
            fields=details_told(turn),
            item=form.item,
            values={one.name: said for one in form.fields if (said := form.values.get(one.name))}
            if form.item
            else {},
        )
        return remember(form=None, misses=0, idle=0, later=None, details=None)


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
            *remember(requested_slot=None, pending=None, misses=0, form=None),
        ]


class ActionFormIsOver(Action):
    """Answers a button of a form that was sent or dropped."""

    def name(self) -> str:
        return "action_form_is_over"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        dispatcher.utter_message(response="utter_form_is_over")
        return []


def _urgency(form: Form) -> commands.Priority:
    match form.values.get("urgency") or urgency_of_letter(form.description):
        case "low" | "high" | "urgent" as urgency:
            return urgency
        case _:
            return "normal"


def _answers(field: Field, language: str) -> list[dict[str, str]]:
    labels = _BUTTONS[language]
    match field.kind:
        case "urgency":
            buttons = [_button(labels[value], field.name, value) for value in URGENCIES]
        case "choice":
            buttons = [_button(label, field.name, value) for value, label in field.choices]
        case _:
            buttons = []
    if not field.required:
        buttons.append(_button(labels["skip"], field.name, SKIPPED))
    return buttons


def _fields_to_change(form: Form, language: str) -> list[dict[str, str]]:
    return [
        _button(field.title(language), CHANGE, field.name)
        for field in form.fields
        if field.name in form.values
    ]


def _button(label: str, field: str, value: str) -> dict[str, str]:
    entities = json.dumps({"field": field, "value": value}, ensure_ascii=False)
    return {"title": label, "payload": f"/{FORM_ANSWER}{entities}"}
