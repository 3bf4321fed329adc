"""What rules and macros do to a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.domain.errors import InvalidInput
from core.domain.ticket import TRIGGER_FOR, Priority, TicketStatus

MAX_ACTIONS = 20
MAX_TEXT_CHARS = 20_000
NOBODY = "nobody"
_MAX_TAG_CHARS = 60


class ActionKind(StrEnum):
    """What can be done."""

    SET_PRIORITY = "set_priority"
    SET_STATUS = "set_status"
    SET_TEAM = "set_team"
    SET_CATEGORY = "set_category"
    ASSIGN = "assign"  # to an agent, or to nobody
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    REPLY = "reply"  # a template, said to the requester by the desk
    NOTE = "note"  # a template, for agents
    WEBHOOK = "webhook"  # a call of an outgoing webhook


IN_WORDS = frozenset({ActionKind.REPLY, ActionKind.NOTE})
"""Actions whose value is a template."""

_NAMES = frozenset(
    {ActionKind.SET_TEAM, ActionKind.SET_CATEGORY, ActionKind.ASSIGN, ActionKind.WEBHOOK}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, with its value: a name, an id, a tag or a template."""

    kind: ActionKind
    value: str

    def __post_init__(self) -> None:
        value = self.value.strip()
        if not value or "\x00" in value:
            raise InvalidInput(f"{self.kind} needs a value")
        if self.kind is ActionKind.SET_PRIORITY and value not in set(Priority):
            raise InvalidInput("there is no such priority")
        if self.kind is ActionKind.SET_STATUS and value not in set(TRIGGER_FOR):
            raise InvalidInput("a ticket cannot be given this status")
        if self.kind in {ActionKind.ADD_TAG, ActionKind.REMOVE_TAG}:
            if len(value) > _MAX_TAG_CHARS:
                raise InvalidInput(f"a tag has {_MAX_TAG_CHARS} characters at most")
        elif self.kind in _NAMES and not (self.kind is ActionKind.ASSIGN and value == NOBODY):
            _checked_id(value)
        if len(value) > MAX_TEXT_CHARS:
            raise InvalidInput(f"a text has {MAX_TEXT_CHARS} characters at most")

    @property
    def id(self) -> UUID | None:
        """Return the id that the value is; none where it is `NOBODY`."""
        return None if self.value.strip() == NOBODY else UUID(self.value.strip())

    @property
    def status(self) -> TicketStatus:
        """Return the status that the value is."""
        return TicketStatus(self.value.strip())


def checked_actions(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return `actions`, or raise `InvalidInput` where there are too many."""
    if len(actions) > MAX_ACTIONS:
        raise InvalidInput(f"there can be {MAX_ACTIONS} actions at most")
    return actions


def _checked_id(value: str) -> None:
    try:
        UUID(value)
    except ValueError:
        raise InvalidInput(f"“{value[:60]}” names nothing here") from None
