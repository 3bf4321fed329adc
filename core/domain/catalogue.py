"""What can be asked for, and how a request for it goes its way: approval, tasks, done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from core.domain.classification import FieldSpec
from core.domain.errors import Conflict, IllegalTransition, InvalidInput

MAX_TEXT_CHARS = 2_000  # of a description, an answer, a reason
MAX_WORDS_CHARS = 500
MAX_ICON_CHARS = 8  # an emoji may be made of several characters
MOST_TASKS = 20
MOST_APPROVERS = 50
LINK_LASTS = timedelta(days=14)
"""How long somebody who was asked to approve can do so by their link or button."""


ASKED_AGAIN = "asked_again"
"""How a ticket's history names that those who may decide were asked once more."""


class Stage(StrEnum):
    """Where a request stands; the status of its ticket is another matter."""

    APPROVAL = "approval"  # waits for somebody who may approve it
    WORK = "work"  # is approved, or needs no approval
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # its ticket ended before it was decided


class Event(StrEnum):
    """What moves a request on."""

    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"  # the last task, or the ticket itself
    ENDED = "ended"  # the ticket, before anybody has decided
    REOPENED = "reopened"  # the ticket, so that it is to be decided after all


_S, _E = Stage, Event

TRANSITIONS: Mapping[tuple[Stage, Event], Stage] = MappingProxyType(
    {
        (_S.APPROVAL, _E.APPROVED): _S.WORK,
        (_S.APPROVAL, _E.REJECTED): _S.REJECTED,
        (_S.APPROVAL, _E.ENDED): _S.WITHDRAWN,
        (_S.WORK, _E.DONE): _S.DONE,
        (_S.WITHDRAWN, _E.REOPENED): _S.APPROVAL,
    }
)


def next_stage(stage: Stage, event: Event) -> Stage:
    """Return the stage that `event` leads to, or raise `IllegalTransition`."""
    try:
        return TRANSITIONS[stage, event]
    except KeyError:
        raise IllegalTransition("request", stage, event) from None


class Decision(StrEnum):
    """What somebody who was asked to approve can say."""

    APPROVE = "approve"
    REJECT = "reject"


EVENT: Mapping[Decision, Event] = MappingProxyType(
    {Decision.APPROVE: Event.APPROVED, Decision.REJECT: Event.REJECTED}
)
"""What each decision does to the request."""


class Occasion(StrEnum):
    """When a requester is told how their request stands; an item has its own words for each."""

    RECEIVED = "received"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"


class TaskState(StrEnum):
    """Where a task of a request stands; each waits for the one before it."""

    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"


class AnswersMissing(InvalidInput):
    """An item cannot be asked for before some of its fields are filled in."""

    def __init__(self, specs: Sequence[FieldSpec]) -> None:
        names = ", ".join(spec.label for spec in specs)
        super().__init__(f"the request needs: {names}")
        self.specs = specs


class DecidedAlready(Conflict):
    """Somebody has decided, or there is nothing to decide any more."""

    def __init__(self, stage: Stage, who: str | None) -> None:
        super().__init__("this was decided already")
        self.stage, self.who = stage, who


def checked_text(words: str, most: int = MAX_TEXT_CHARS) -> str:
    """Return `words` without space around them.

    Raises:
        InvalidInput: they are too long.
    """
    text = words.strip()
    if len(text) > most or "\x00" in text:
        raise InvalidInput("a text of the catalogue has 2,000 characters at most")
    return text
