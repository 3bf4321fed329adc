"""Knows what a message is taken for where the conversation stands: in a form, after a question,
or as one of several matters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.catalogue import CHOOSE_ITEM, chosen
from actions.form.moves import PLAIN_KINDS, answers, skips, steps_back
from actions.form.state import Form
from actions.form.steps import FORM_ANSWER
from actions.handing_over import BY_INTENT
from actions.topics import Joint, is_matter
from actions.wording import is_question, words_of
from components.alarms import recognise

_LEAVES = frozenset({"cancel", "switch_language"})
_ASKS = frozenset({"ask_question", "nlu_fallback", "ticket_status", "what_was_said"})
_WANTS = frozenset(
    {"request_service", "request_item", "report_problem", "ticket_status", "add_to_ticket"}
)
_SETTLES = frozenset({"affirm", "deny", "helped", "not_helped", "thanks"})
_NO_MATTER = frozenset({"follow_up", "vague_problem", "greet", "goodbye", "small_talk", *_SETTLES})
STANDS_WHOLE = frozenset({"add_to_ticket", "switch_language"})
"""Intents whose message is not looked through for a second matter."""
_ASKS_ABOUT_US = frozenset({"ask_capabilities", "bot_challenge"})
_COURTESIES = frozenset({"greet", "thanks"})

_SHORT = 6  # words of a wish to leave the form; descriptions that resemble one are longer
_SHORTEST = 3  # words of a courtesy


def meant_while(
    pending: str | None, intent: str, text: str, items: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return the intent that `text`, understood as `intent`, has while a question is open.

    `items` are those of the catalogue that the question offers.
    """
    if pending == "item_offer" and intent not in BY_INTENT and _chooses(items, intent, text):
        return CHOOSE_ITEM
    if pending == "detail":
        if intent in BY_INTENT:
            return intent if recognise(text) is not None else "add_to_ticket"
        return intent if intent in _LEAVES and len(words_of(text)) <= _SHORT else "add_to_ticket"
    if pending == "file_offer" and intent == "affirm":
        return "request_service"
    if pending == "which_ticket" and intent not in BY_INTENT and re.search(r"\d", text):
        return "add_to_ticket"
    return intent


def are_two(joint: Joint, first: str, second: str) -> bool:
    """Say whether the parts of `joint`, understood as `first` and `second`, are two matters."""
    if not is_matter(joint.second) or second in _NO_MATTER:
        return False
    if not is_matter(joint.first) and first not in _SETTLES:
        return False
    if joint.is_marked or second in _WANTS:
        return True
    return second in _ASKS and is_question(joint.second)


def meant_in(form: Form, intent: str, text: str) -> str:
    """Return the intent that `text`, understood as `intent`, has while `form` is filled in.

    What is described in a form often resembles an alarm, a question or a wish to leave. Ending
    the form over a guess would lose the ticket, so what is urgent needs a known wording here.
    """
    if intent in BY_INTENT:
        return intent if recognise(text) is not None else FORM_ANSWER
    at_the_end = form.open_field is None
    if steps_back(text) or skips(form, text) or (at_the_end and answers(None, text)):
        return FORM_ANSWER
    length = len(words_of(text))
    if intent in _LEAVES and length <= _SHORT:
        return intent
    if form.is_by_letter:
        return FORM_ANSWER
    if intent in _COURTESIES and length <= _SHORTEST and not _is_answer(form, text):
        return intent
    if _is_answer(form, text) or not is_question(text):
        return FORM_ANSWER
    if intent in _ASKS or intent in _ASKS_ABOUT_US:
        return intent
    return "ask_question"


def _chooses(items: Sequence[Mapping[str, Any]], intent: str, text: str) -> bool:
    return (intent == "affirm" and len(items) == 1) or chosen(items, text) is not None


def stated(text: str, intent: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what Rasa's parser would for a message whose intent is certain."""
    found = {"name": intent, "confidence": 1.0}
    return {"text": text, "intent": found, "intent_ranking": [found], "entities": entities}


def _is_answer(form: Form, text: str) -> bool:
    field = form.open_field
    return (field is None or field.kind in PLAIN_KINDS) and answers(field, text)
