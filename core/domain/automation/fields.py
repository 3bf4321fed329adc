"""What a condition can look at, what each of it holds, and how that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Kind(StrEnum):
    """What a field holds, and so how it can be compared."""

    CHOICE = "choice"  # one of a few names or ids
    WORDS = "words"
    NUMBER = "number"
    TAGS = "tags"
    FLAG = "flag"
    ANY = "any"  # words, a number, a date, or yes or no: what a field of a category's form takes


class Field(StrEnum):
    """What a condition can look at."""

    STATUS = "status"
    PRIORITY = "priority"
    TYPE = "type"
    IMPACT = "impact"
    URGENCY = "urgency"
    REASON = "reason"  # the assistant's, for handing over
    CHANNEL = "channel"
    ACCOUNT = "account"
    LANGUAGE = "language"
    TEAM = "team"
    LEVEL = "level"
    ASSIGNEE = "assignee"
    CATEGORY = "category"  # its own and those above it
    TAGS = "tags"
    SUBJECT = "subject"
    MESSAGE = "message"  # what was just said; of an idle ticket, what was said last
    REQUESTER = "requester"  # name and e-mail address
    VIP = "vip"
    ORGANISATION = "organisation"
    PLAN = "plan"  # of support, the organisation's
    SCORE = "score"  # the requester's satisfaction, from 1 to 5
    HOURS_OPEN = "hours_open"
    HOURS_IDLE = "hours_idle"  # since anything last changed
    HOURS_TO_PROMISE = "hours_to_promise"  # until the nearest runs out; below zero afterwards
    OUTSIDE_HOURS = "outside_hours"  # business hours, those of the ticket's policy
    CUSTOM = "field"  # one that a category's form asks for; conditions name it by id


KINDS: Mapping[Field, Kind] = MappingProxyType(
    {
        Field.STATUS: Kind.CHOICE,
        Field.PRIORITY: Kind.CHOICE,
        Field.TYPE: Kind.CHOICE,
        Field.IMPACT: Kind.CHOICE,
        Field.URGENCY: Kind.CHOICE,
        Field.REASON: Kind.CHOICE,
        Field.CHANNEL: Kind.CHOICE,
        Field.ACCOUNT: Kind.CHOICE,
        Field.LANGUAGE: Kind.CHOICE,
        Field.TEAM: Kind.CHOICE,
        Field.LEVEL: Kind.NUMBER,
        Field.ASSIGNEE: Kind.CHOICE,
        Field.CATEGORY: Kind.CHOICE,
        Field.TAGS: Kind.TAGS,
        Field.SUBJECT: Kind.WORDS,
        Field.MESSAGE: Kind.WORDS,
        Field.REQUESTER: Kind.WORDS,
        Field.VIP: Kind.FLAG,
        Field.ORGANISATION: Kind.CHOICE,
        Field.PLAN: Kind.CHOICE,
        Field.SCORE: Kind.NUMBER,
        Field.HOURS_OPEN: Kind.NUMBER,
        Field.HOURS_IDLE: Kind.NUMBER,
        Field.HOURS_TO_PROMISE: Kind.NUMBER,
        Field.OUTSIDE_HOURS: Kind.FLAG,
        Field.CUSTOM: Kind.ANY,
    }
)

CHANGING = frozenset(
    {
        Field.STATUS,
        Field.PRIORITY,
        Field.TYPE,
        Field.IMPACT,
        Field.URGENCY,
        Field.TEAM,
        Field.LEVEL,
        Field.ASSIGNEE,
        Field.CATEGORY,
        Field.TAGS,
        Field.CUSTOM,
    }
)
"""Fields whose changes a ticket's history keeps, from what to what."""


class Comparison(StrEnum):
    """How a field is compared with a value."""

    IS = "is"
    IS_NOT = "is_not"
    HAS = "has"  # words: the value is part of them; tags: the value is one of them
    HAS_NOT = "has_not"
    MORE = "more"  # than the value, or as much
    LESS = "less"  # than the value
    AT_MOST = "at_most"  # as much as the value, or less
    EMPTY = "empty"
    FILLED = "filled"
    CHANGED = "changed"  # just now, whatever it was and is
    CHANGED_TO = "changed_to"  # the value fits what it became, and did not fit what it was
    CHANGED_FROM = "changed_from"  # the other way round


CHANGES = (Comparison.CHANGED, Comparison.CHANGED_TO, Comparison.CHANGED_FROM)
"""Comparisons that look at the change itself."""

BOUNDS = frozenset({Comparison.MORE, Comparison.LESS, Comparison.AT_MOST})
"""Comparisons with a number or a date."""

WITHOUT_VALUE = frozenset({Comparison.EMPTY, Comparison.FILLED, Comparison.CHANGED})

_C = Comparison
_FITTING: Mapping[Kind, Sequence[Comparison]] = MappingProxyType(
    {
        Kind.CHOICE: (_C.IS, _C.IS_NOT, _C.EMPTY, _C.FILLED),
        Kind.WORDS: (_C.HAS, _C.HAS_NOT, _C.EMPTY, _C.FILLED),
        Kind.NUMBER: (_C.MORE, _C.LESS, _C.AT_MOST, _C.IS, _C.EMPTY),
        Kind.TAGS: (_C.HAS, _C.HAS_NOT, _C.EMPTY, _C.FILLED),
        Kind.FLAG: (_C.IS,),
        Kind.ANY: (
            *(_C.IS, _C.IS_NOT, _C.HAS, _C.HAS_NOT),
            *(_C.MORE, _C.LESS, _C.AT_MOST, _C.EMPTY, _C.FILLED),
        ),
    }
)


def fitting(field: Field) -> Sequence[Comparison]:
    """Return how a field can be compared."""
    usual = _FITTING[KINDS[field]]
    return (*usual, *CHANGES) if field in CHANGING else usual


def custom_key(field: UUID | str) -> str:
    """Return how conditions and facts name a field of a category's form."""
    return f"{Field.CUSTOM}:{field}"


def field_named(words: str) -> tuple[Field, UUID | None]:
    """Return the field that `words` name, with the id of one that a category's form asks for.

    Raises:
        ValueError: there is none called that.
    """
    name, colon, custom = words.partition(":")
    if name == Field.CUSTOM:
        return Field.CUSTOM, UUID(custom)
    if colon:
        raise ValueError(words)
    return Field(name), None
