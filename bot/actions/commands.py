"""Knows the commands the assistant may give the desk, and which values they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rasa_sdk.executor import CollectingDispatcher

Reason = Literal[
    "asked_for_human",
    "not_helped",
    "unsure_twice",
    "angry",
    "emergency",
    "security_incident",
    "self_harm",
    "out_of_scope_accepted",
    "knowledge_unavailable",
    "vip",
    "loop",
]
Priority = Literal["low", "normal", "high", "urgent"]
Kind = Literal["incident", "request"]


def answer(dispatcher: CollectingDispatcher, *, article_id: str, score: float) -> None:
    """Show one article; the desk asks whether it helped."""
    _give(dispatcher, "answer", article_id=article_id, score=score)


def offer(dispatcher: CollectingDispatcher, *, article_ids: Sequence[str]) -> None:
    """Show the titles of one to three articles to choose from; the desk adds "none of these"."""
    _give(dispatcher, "offer", article_ids=list(article_ids))


def hand_off(
    dispatcher: CollectingDispatcher, *, reason: Reason, priority: Priority, summary: str
) -> None:
    """Queue the conversation for a human; the desk tells the requester the number."""
    _give(dispatcher, "handoff", reason=reason, priority=priority, summary=summary)


def open_ticket(
    dispatcher: CollectingDispatcher,
    *,
    kind: Kind,
    subject: str,
    description: str,
    urgency: Priority,
    since: str | None,
    fields: Mapping[str, str],
    item: str | None,
    values: Mapping[str, str],
) -> None:
    """Open a ticket from the form; the desk queues it and tells the requester the number.

    `fields` are details by name, for the agent; `item` is that of the request catalogue, with
    the `values` of its own form, by field.
    """
    _give(
        dispatcher,
        "open_ticket",
        kind=kind,
        subject=subject,
        description=description,
        urgency=urgency,
        since=since,
        fields=dict(fields),
        item=item,
        values=dict(values),
    )


def add_to_ticket(dispatcher: CollectingDispatcher, *, number: int, text: str) -> None:
    """Add `text` to one of the requester's own tickets, for whoever works on it."""
    _give(dispatcher, "add_to_ticket", number=number, text=text)


def set_language(dispatcher: CollectingDispatcher, *, language: str) -> None:
    """Remember the language the requester chose."""
    _give(dispatcher, "set_field", field="language", value=language)


def close(dispatcher: CollectingDispatcher, *, reason: Literal["goodbye"]) -> None:
    """End the conversation."""
    _give(dispatcher, "close", reason=reason)


def _give(dispatcher: CollectingDispatcher, command: str, **args: Any) -> None:
    dispatcher.utter_message(json_message={"command": command, "args": args})
