"""Views of the queue: which tickets they show, in which order and with which columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from core.domain.automation.conditions import Condition
from core.domain.automation.fields import CHANGES, Comparison, Field, fitting
from core.domain.due_dates import DueDate
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, CategoryId, TeamId
from core.domain.ticket import Priority, TicketStatus

ViewId = NewType("ViewId", UUID)

MAX_NAME_CHARS = 60
_MOST_VALUES = 50
_MAX_WORDS_CHARS = 200
MOST_FIELDS = 10
"""Conditions on custom fields that a view has at most."""
LIST_COMPARISONS = tuple(one for one in fitting(Field.CUSTOM) if one not in CHANGES)
"""How they compare: a list of tickets does not know what changed."""


class Whose(StrEnum):
    """Stands where an agent's id would."""

    ME = "me"  # whoever looks
    NOBODY = "nobody"


class Promise(StrEnum):
    """How it stands with what was promised in a ticket."""

    LATE = "late"
    SOON = "soon"  # due within `SOON_MINUTES`
    RUNNING = "running"  # due at some time
    NONE = "none"  # nothing runs


SOON_MINUTES = 60


class Order(StrEnum):
    """How agents look through tickets."""

    LONGEST_WAITING = "longest_waiting"  # most urgent, then due first, then oldest
    LATEST_CHANGE = "latest_change"  # most urgent, then due first, then changed last
    DUE = "due"  # due first, then oldest
    DUE_DATE = "due_date"  # by the date that agents set, then oldest
    CHANGED = "changed"  # changed last
    NEWEST = "newest"
    OLDEST = "oldest"


class Column(StrEnum):
    """What a list can show of tickets beside their subject."""

    STATUS = "status"
    PRIORITY = "priority"
    REQUESTER = "requester"
    ORGANISATION = "organisation"
    ASSIGNEE = "assignee"
    TEAM = "team"
    CATEGORY = "category"
    CHANNEL = "channel"
    LANGUAGE = "language"
    TAGS = "tags"
    DUE = "due"  # what was promised
    DUE_DATE = "due_date"  # what agents set
    CHANGED = "changed"
    CREATED = "created"


USUAL_COLUMNS = (
    Column.REQUESTER,
    Column.STATUS,
    Column.PRIORITY,
    Column.DUE,
    Column.ASSIGNEE,
    Column.TEAM,
    Column.CHANGED,
)


def _whose(words: str) -> AgentId | Whose:
    return Whose(words) if words in set(Whose) else AgentId(UUID(words))


def _plain(words: str) -> str:
    if not 0 < len(words) <= 100 or "\x00" in words:
        raise ValueError
    return words


_READERS: Mapping[str, Callable[[str], Any]] = {
    "statuses": TicketStatus,
    "teams": UUID,
    "assignees": _whose,
    "categories": UUID,
    "tags": lambda words: _plain(words).lower(),
    "priorities": Priority,
    "channels": _plain,
    "languages": _plain,
    "promises": Promise,
    "due_dates": DueDate,
}


def _value(name: str, words: object) -> Any:
    try:
        return _READERS[name](str(words))
    except ValueError:
        raise InvalidInput(f"a view's {name} cannot be that") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFilter:
    """Which tickets a view shows: of each kind named, one of its values has to fit.

    Conditions on custom fields have to hold all.
    """

    statuses: tuple[TicketStatus, ...] = ()
    teams: tuple[TeamId, ...] = ()
    assignees: tuple[AgentId | Whose, ...] = ()
    categories: tuple[CategoryId, ...] = ()  # with those below them
    tags: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    due_dates: tuple[DueDate, ...] = ()
    fields: tuple[Condition, ...] = ()  # that categories ask for
    words: str = ""  # as in the search

    def __post_init__(self) -> None:
        if len(self.words) > _MAX_WORDS_CHARS or "\x00" in self.words:
            raise InvalidInput(f"the words of a view have {_MAX_WORDS_CHARS} characters at most")
        if len(self.fields) > MOST_FIELDS:
            raise InvalidInput(f"a view has {MOST_FIELDS} conditions on fields at most")
        if any(len(getattr(self, name)) > _MOST_VALUES for name in _READERS):
            raise InvalidInput(f"a view names {_MOST_VALUES} of a kind at most")

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept; what wants all is left out."""
        found: dict[str, Any] = {
            name: [str(value) for value in getattr(self, name)]
            for name in _READERS
            if getattr(self, name)
        }
        if self.fields:
            found["fields"] = [
                {"field": str(one.custom), "comparison": str(one.comparison), "value": one.value}
                for one in self.fields
            ]
        return found | ({"words": self.words} if self.words else {})

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> ViewFilter:
        """Return what `to_json` gave, or what somebody wrote in its place.

        Raises:
            InvalidInput: something in it is not known.
        """
        if unknown := set(kept) - {*_READERS, "fields", "words"}:
            raise InvalidInput(f"a view knows no {sorted(unknown)[0]!r}"[:200])
        read = {
            name: tuple(dict.fromkeys(_value(name, one) for one in kept.get(name, ())))
            for name in _READERS
        }
        return cls(
            **read,
            fields=tuple(
                custom_condition(one.get("field"), one.get("comparison"), one.get("value"))
                for one in kept.get("fields", ())
            ),
            words=str(kept.get("words", "")).strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDraft:
    """A view as it is to be."""

    name: str
    wanted: ViewFilter = ViewFilter()
    order: Order = Order.LONGEST_WAITING
    columns: Sequence[Column] = USUAL_COLUMNS
    team: TeamId | None = None  # that it is shared with
    is_for_all: bool = False  # shared with everybody

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= MAX_NAME_CHARS or "\x00" in self.name:
            raise InvalidInput(f"a view's name has 1 to {MAX_NAME_CHARS} characters")
        if len(set(self.columns)) != len(self.columns):
            raise InvalidInput("a view shows each column once")
        if self.is_for_all and self.team is not None:
            raise InvalidInput("a view is shared with everybody or with one team")


def custom_condition(field: object, comparison: object, value: object) -> Condition:
    """Return a condition on a custom field, as somebody wrote it: the field by its id.

    Raises:
        InvalidInput: it is none, or looks at changes: a list of tickets has none.
    """
    try:
        custom, compared = UUID(str(field)), Comparison(str(comparison))
    except ValueError:
        raise InvalidInput("a condition names a field and how it is compared") from None
    if compared not in LIST_COMPARISONS:
        raise InvalidInput("a list of tickets does not know what changed")
    return Condition(
        field=Field.CUSTOM,
        custom=custom,
        comparison=compared,
        value="" if value is None else str(value),
    )
