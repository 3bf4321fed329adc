"""What rules and macros do to a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from core.domain.classification import Extent, Kind, checked_tags
from core.domain.errors import InvalidInput, WrongName
from core.domain.teams import LEVELS, Onward
from core.domain.ticket import TRIGGER_FOR, Priority, TicketStatus

MAX_ACTIONS = 20
MAX_TEXT_CHARS = 20_000
NOBODY = "nobody"


class ActionKind(StrEnum):
    """What can be done."""

    SET_PRIORITY = "set_priority"
    SET_STATUS = "set_status"
    SET_TYPE = "set_type"
    SET_IMPACT = "set_impact"  # with the urgency it makes the priority
    SET_URGENCY = "set_urgency"
    SET_TEAM = "set_team"
    SET_LEVEL = "set_level"
    SET_CATEGORY = "set_category"
    SET_FIELD = "set_field"  # one that a category's form asks for; the action names it by id
    ASSIGN = "assign"  # to an agent, or to nobody
    ESCALATE = "escalate"  # to the next level, to a lead, or to another team
    NOTIFY = "notify"  # agents: the ticket's, those who lead, a team, or by name
    ADD_WATCHER = "add_watcher"  # an agent
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    REPLY = "reply"  # a template, said to the requester by the desk
    NOTE = "note"  # a template, for agents
    WEBHOOK = "webhook"  # a call of an outgoing webhook
    MARK_SPAM = "mark_spam"  # nothing else is done afterwards


class Told(StrEnum):
    """Whom a rule can tell without naming them."""

    ASSIGNEE = "assignee"  # the ticket's agent
    LEAD = "lead"  # whoever leads its team
    TEAM = "team"  # all of its team


IN_WORDS = frozenset({ActionKind.REPLY, ActionKind.NOTE})
"""Actions whose value is a template."""

WITHOUT_VALUE = frozenset({ActionKind.MARK_SPAM})

HANDS_OVER = frozenset({ActionKind.SET_TEAM, ActionKind.ASSIGN, ActionKind.ESCALATE})
"""Actions after which others may see a ticket than before."""

_TAGS = frozenset({ActionKind.ADD_TAG, ActionKind.REMOVE_TAG})

_CHOICES = MappingProxyType(
    {
        ActionKind.SET_PRIORITY: (frozenset(Priority), "there is no such priority"),
        ActionKind.SET_STATUS: (frozenset(TRIGGER_FOR), "a ticket cannot be given this status"),
        ActionKind.SET_TYPE: (frozenset(Kind), "there is no such type"),
        ActionKind.SET_IMPACT: (frozenset(Extent), "an impact is low, medium or high"),
        ActionKind.SET_URGENCY: (frozenset(Extent), "an urgency is low, medium or high"),
        ActionKind.SET_LEVEL: (frozenset(map(str, LEVELS)), "a level is 1, 2 or 3"),
    }
)
"""What the value of an action can be, and what is said of any other."""

_NAMES: MappingProxyType[ActionKind, frozenset[str]] = MappingProxyType(
    {
        ActionKind.SET_TEAM: frozenset(),
        ActionKind.SET_CATEGORY: frozenset(),
        ActionKind.ASSIGN: frozenset({NOBODY}),
        ActionKind.ESCALATE: frozenset(Onward),
        ActionKind.NOTIFY: frozenset(Told),
        ActionKind.ADD_WATCHER: frozenset(),
        ActionKind.WEBHOOK: frozenset(),
    }
)
"""Actions whose value is an id, or one of these words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, with its value: a name, an id, a tag or a template."""

    kind: ActionKind
    value: str = ""
    custom: UUID | None = None  # which field of a form, where it sets one

    def __post_init__(self) -> None:
        value = self.value.strip()
        if (self.kind is ActionKind.SET_FIELD) is (self.custom is None):
            raise InvalidInput("an action names the field that it sets")
        if "\x00" in value or (not value and self.kind not in WITHOUT_VALUE):
            raise InvalidInput("an action needs a value")
        if len(value) > MAX_TEXT_CHARS:
            raise InvalidInput(f"a text has {MAX_TEXT_CHARS} characters at most")
        if self.kind in _CHOICES:
            known, complaint = _CHOICES[self.kind]
            if value not in known:
                raise InvalidInput(complaint)
        elif self.kind in _NAMES:
            for name in self.names:
                if name not in _NAMES[self.kind]:
                    _checked_id(name)
        elif self.kind in _TAGS and not checked_tags([value]):
            raise InvalidInput("an action needs a value")

    @property
    def key(self) -> str:
        """Return how the action is named where it is kept."""
        return self.kind if self.custom is None else f"{self.kind}:{self.custom}"

    @property
    def names(self) -> Sequence[str]:
        """Return what the value names: of notices several, between `|`; else one."""
        if self.kind is not ActionKind.NOTIFY:
            return [self.value.strip()]
        return [part.strip() for part in self.value.split("|") if part.strip()]

    @property
    def id(self) -> UUID | None:
        """Return the id that the value is; none where it is `NOBODY`."""
        return None if self.value.strip() == NOBODY else UUID(self.value.strip())

    @property
    def status(self) -> TicketStatus:
        """Return the status that the value is."""
        return TicketStatus(self.value.strip())


def action_named(words: str) -> tuple[ActionKind, UUID | None]:
    """Return the kind of action that `words` name, with the id of the field that it sets.

    Raises:
        ValueError: there is none called that.
    """
    name, colon, custom = words.partition(":")
    kind = ActionKind(name)
    if kind is ActionKind.SET_FIELD:
        return kind, UUID(custom)
    if colon:
        raise ValueError(words)
    return kind, None


def checked_actions(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return `actions`, or raise `InvalidInput` where they cannot stand together."""
    if len(actions) > MAX_ACTIONS:
        raise InvalidInput(f"there can be {MAX_ACTIONS} actions at most")
    if any(action.kind is ActionKind.MARK_SPAM for action in actions[:-1]):
        raise InvalidInput("what is marked as spam is left alone: let that be the last action")
    return actions


def _checked_id(value: str) -> None:
    try:
        UUID(value)
    except ValueError:
        raise WrongName("“{name}” names nothing here", value) from None
