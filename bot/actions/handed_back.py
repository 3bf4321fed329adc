"""Knows what a person told the requester before handing the conversation back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.turn import Event, Turn, remember

_FIRST_LINE = re.compile(r"Ticket #(?P<number>\d+): ?(?P<subject>.*)")
_SAID = re.compile(r"(?P<who>[^:\n]{1,80}): (?P<what>.+)")
_MAX_TOLD = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """What the desk's summary says: the ticket, and who said what, in order."""

    number: int
    subject: str
    said: Sequence[tuple[str, str]]

    @property
    def who(self) -> str:
        """Whoever spoke last."""
        return self.said[-1][0] if self.said else ""

    @property
    def what(self) -> str:
        """What was said, a line a message."""
        return "\n".join(f"> {what}" for _, what in self.said)[:_MAX_TOLD]


def read_summary(summary: object) -> HandedBack | None:
    """Return what `summary` tells, or None where it is of another shape.

    The desk writes "Ticket #1042: subject", then a line "Name: words" for each message.
    """
    if not isinstance(summary, str):
        return None
    first, *lines = summary.splitlines() or [""]
    head = _FIRST_LINE.fullmatch(first.strip())
    if head is None:
        return None
    told = [line for one in lines if (line := _SAID.fullmatch(one.strip()))]
    return HandedBack(
        number=int(head.group("number")),
        subject=head.group("subject"),
        said=[(line.group("who"), line.group("what")) for line in told],
    )


def handed_back(turn: Turn) -> HandedBack | None:
    """Return what happened before the assistant got this conversation back, or None."""
    return read_summary(turn.context.get("summary"))


class ActionWhatWasSaid(Action):
    """Repeats what a person told the requester."""

    def name(self) -> str:
        return "action_what_was_said"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        turn = Turn(tracker)
        before = handed_back(turn)
        if before is None or not before.said:
            dispatcher.utter_message(response="utter_nothing_was_said")
            return remember(pending=None, idle=0)
        dispatcher.utter_message(
            response="utter_what_was_said",
            who=before.who,
            what=before.what,
            number=str(before.number),
        )
        return remember(pending="anything_else", idle=0)
