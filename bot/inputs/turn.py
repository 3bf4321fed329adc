"""Knows the shape of a turn: what the desk asks and what it is answered."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.form.steps import FORM_ANSWER
from components.alarms import recognise
from inputs.letters import without_courtesies

MAX_TEXT = 4_000  # characters the assistant understands and answers
MAX_HEARD = 20_000  # characters it looks through for what must not be missed
MAX_SENDER = 255  # the tracker store's column
LANGUAGES = ("en", "es")
CHOICE_PREFIX = "/"  # Rasa's own notation for a button's payload: /intent{"entity": "value"}


class BadTurn(ValueError):
    """The body is not a turn; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button the requester pressed."""

    intent: str
    entities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """One thing the requester said or pressed, and what the desk knows about it."""

    turn_id: str
    sender_id: str
    text: str
    choice: Choice | None
    language: str
    context: Mapping[str, Any]
    heard: str = ""  # the text beyond what is understood, where it is longer

    @property
    def alarm(self) -> str | None:
        """The urgent intent that a long text states anywhere; that of a usual one is understood."""
        return recognise(self.heard) if len(self.heard) > MAX_TEXT else None

    @property
    def spoken(self) -> str:
        """The text to understand: a leading slash is the requester's, never a payload."""
        return self.text.lstrip("/ \t\n")

    @property
    def has_words(self) -> bool:
        """Whether there is anything to understand: a letter, a digit or a symbol such as 👍."""
        return re.search(r"[^\W_]|[\u2600-\U0001FAFF]", self.spoken) is not None


def parse_turn(body: bytes, *, intents: Sequence[str]) -> TurnRequest:
    """Return the turn in `body`.

    Raises:
        BadTurn: not JSON, a field missing or of the wrong type, or an unknown intent.
    """
    try:
        turn = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadTurn("the body is not JSON") from error
    if not isinstance(turn, dict):
        raise BadTurn("the body is not a JSON object")
    language = _text(turn, "language")
    if language not in LANGUAGES:
        raise BadTurn(f"language must be one of {', '.join(LANGUAGES)}")
    context = _context(turn.get("context"))
    text = seen(clean(_text(turn, "text")))
    looked_at = text[:MAX_TEXT]
    return TurnRequest(
        turn_id=_id(turn, "turn_id"),
        sender_id=_id(turn, "sender_id"),
        text=without_courtesies(looked_at) if context.get("by_letter") else looked_at,
        heard=text[:MAX_HEARD],
        choice=_choice(turn.get("choice"), intents),
        language=language,
        context=context,
    )


def clean(text: str) -> str:
    """Return `text` without what no store and no tokenizer takes: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def seen(text: str) -> str:
    """Return `text` without what nobody sees, such as zero-width spaces and soft hyphens.

    Left in, they would tear a word in two for all that looks for words, alarms included.
    """
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _text(turn: Mapping[str, Any], name: str) -> str:
    value = turn.get(name)
    if not isinstance(value, str):
        raise BadTurn(f"{name} must be a string")
    return value


def _id(turn: Mapping[str, Any], name: str) -> str:
    value = clean(_text(turn, name))
    if not 0 < len(value) <= MAX_SENDER:
        raise BadTurn(f"{name} must have 1 to {MAX_SENDER} characters")
    return value


def _choice(value: object, intents: Sequence[str]) -> Choice | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadTurn("choice must be null or an object")
    intent, entities = value.get("intent"), value.get("entities") or {}
    if not isinstance(intent, str) or intent not in intents:
        raise BadTurn("choice.intent is not an intent of the assistant")
    if not isinstance(entities, dict):
        raise BadTurn("choice.entities must be an object")
    return Choice(intent=intent, entities=entities)


def _context(value: object) -> Mapping[str, Any]:
    context = {} if value is None else value
    if not isinstance(context, dict):
        raise BadTurn("context must be an object")
    tickets = context.get("tickets") or []
    if not isinstance(tickets, list) or not all(isinstance(ticket, dict) for ticket in tickets):
        raise BadTurn("context.tickets must be a list of objects")
    return context


def output_of(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the assistant said and wants done in `events`, in order.

    The first reply and every replay are built here, from the conversation's own record.
    """
    output: list[dict[str, Any]] = []
    for event in events:
        if event["event"] != "bot":
            continue
        extras = event.get("data") or {}
        if event.get("text"):
            choices = [_offered(button) for button in extras.get("buttons") or ()]
            output.append({"type": "say", "text": event["text"], "choices": choices})
        command = extras.get("custom") or {}
        if command:
            output.append({"type": "command", "name": command["command"], "args": command["args"]})
    return output


def understood_of(parsed: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a message was understood as and what was looked up for it, from its `events`.

    For people who improve the assistant; the desk does nothing by it.
    """
    said: dict[str, list[Any]] = {"look_up": [], "feedback": []}
    for event in events:
        if event["event"] == "slot" and event["name"] in said and event["value"]:
            said[event["name"]].append(event["value"])
    in_form = any(event["event"] == "active_loop" and event.get("name") for event in events)
    return {
        "guesses": [
            {"name": guess["name"], "confidence": float(guess["confidence"])}
            for guess in parsed.get("intent_ranking") or ()
        ],
        "mentions": [
            {"kind": str(entity["entity"]), "value": str(entity["value"])}
            for entity in parsed.get("entities") or ()
        ],
        "look_ups": said["look_up"],
        "in_form": in_form or parsed["intent"]["name"] == FORM_ANSWER,
        "feedback": said["feedback"][-1] if said["feedback"] else None,
    }


def said_once(parts: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the output of a message's parts as one, without what an earlier part said already.

    Somebody who asks the same twice in one message is answered once: a part that brings nothing
    new is left out with the sentence that leads to it.
    """
    output: list[dict[str, Any]] = []
    known: set[str] = set()
    for place, part in enumerate(parts):
        fresh = [one for one in part if _content(one) not in known]
        if place and len(fresh) <= 1 < len(part):
            continue
        output += fresh
        known |= {_content(one) for one in part}
    return output


def _content(output: Mapping[str, Any]) -> str:
    """Return what makes an output the same as another: how sure an answer is does not."""
    if output["type"] == "command" and output["name"] == "answer":
        return f"answer {output['args'].get('article_id')}"
    return json.dumps(output, sort_keys=True)


def _offered(button: Mapping[str, Any]) -> dict[str, Any]:
    intent, brace, entities = button["payload"].removeprefix(CHOICE_PREFIX).partition("{")
    return {
        "label": button["title"],
        "intent": intent,
        "entities": json.loads(brace + entities) if brace else {},
    }
