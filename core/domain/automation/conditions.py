"""Conditions of rules: a field of a ticket, a comparison, a value."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from core.domain.errors import InvalidInput

Fact = str | float | bool | frozenset[str] | None
"""What is known of one field: words or an id, a number, yes or no, several words, or nothing."""

MAX_CONDITIONS = 30
_MAX_VALUE_CHARS = 2_000


class Kind(StrEnum):
    """What a field holds, and so how it can be compared."""

    CHOICE = "choice"  # one of a few names or ids
    WORDS = "words"
    NUMBER = "number"
    TAGS = "tags"
    FLAG = "flag"


class Field(StrEnum):
    """What a condition can look at."""

    STATUS = "status"
    PRIORITY = "priority"
    TYPE = "type"
    REASON = "reason"  # the assistant's, for handing over
    CHANNEL = "channel"
    ACCOUNT = "account"
    LANGUAGE = "language"
    TEAM = "team"
    ASSIGNEE = "assignee"
    CATEGORY = "category"
    ORGANISATION = "organisation"
    LEVEL = "level"
    TAGS = "tags"
    SUBJECT = "subject"
    MESSAGE = "message"  # what was just said; of an idle ticket, what was said last
    REQUESTER = "requester"  # name and e-mail address
    VIP = "vip"
    SCORE = "score"  # the requester's satisfaction, from 1 to 5
    HOURS_OPEN = "hours_open"
    HOURS_IDLE = "hours_idle"  # since anything last changed


KINDS: Mapping[Field, Kind] = MappingProxyType(
    {
        Field.STATUS: Kind.CHOICE,
        Field.PRIORITY: Kind.CHOICE,
        Field.TYPE: Kind.CHOICE,
        Field.REASON: Kind.CHOICE,
        Field.CHANNEL: Kind.CHOICE,
        Field.ACCOUNT: Kind.CHOICE,
        Field.LANGUAGE: Kind.CHOICE,
        Field.TEAM: Kind.CHOICE,
        Field.ASSIGNEE: Kind.CHOICE,
        Field.CATEGORY: Kind.CHOICE,
        Field.ORGANISATION: Kind.CHOICE,
        Field.LEVEL: Kind.NUMBER,
        Field.TAGS: Kind.TAGS,
        Field.SUBJECT: Kind.WORDS,
        Field.MESSAGE: Kind.WORDS,
        Field.REQUESTER: Kind.WORDS,
        Field.VIP: Kind.FLAG,
        Field.SCORE: Kind.NUMBER,
        Field.HOURS_OPEN: Kind.NUMBER,
        Field.HOURS_IDLE: Kind.NUMBER,
    }
)


class Comparison(StrEnum):
    """How a field is compared with a value."""

    IS = "is"
    IS_NOT = "is_not"
    HAS = "has"  # words: the value is part of them; tags: the value is one of them
    HAS_NOT = "has_not"
    MORE = "more"  # than the value, or as much
    LESS = "less"  # than the value
    EMPTY = "empty"
    FILLED = "filled"


FITTING: Mapping[Kind, Sequence[Comparison]] = MappingProxyType(
    {
        Kind.CHOICE: (Comparison.IS, Comparison.IS_NOT, Comparison.EMPTY, Comparison.FILLED),
        Kind.WORDS: (Comparison.HAS, Comparison.HAS_NOT, Comparison.EMPTY, Comparison.FILLED),
        Kind.NUMBER: (Comparison.MORE, Comparison.LESS, Comparison.IS, Comparison.EMPTY),
        Kind.TAGS: (Comparison.HAS, Comparison.HAS_NOT, Comparison.EMPTY, Comparison.FILLED),
        Kind.FLAG: (Comparison.IS,),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison. Several values, between `|`, mean any of them."""

    field: Field
    comparison: Comparison
    value: str = ""

    def __post_init__(self) -> None:
        kind = KINDS[self.field]
        if self.comparison not in FITTING[kind]:
            raise InvalidInput(f"{self.field} cannot be compared by {self.comparison}")
        if len(self.value) > _MAX_VALUE_CHARS or "\x00" in self.value:
            raise InvalidInput(f"a value has {_MAX_VALUE_CHARS} characters at most")
        if self.comparison in {Comparison.EMPTY, Comparison.FILLED}:
            return
        if not self.values:
            raise InvalidInput(f"the condition about {self.field} has no value")
        if kind is Kind.NUMBER:
            _number(self.value, self.field)
        if kind is Kind.FLAG and self.value not in {"yes", "no"}:
            raise InvalidInput(f"{self.field} is yes or no")

    @property
    def values(self) -> Sequence[str]:
        """Return the values, any of which fits."""
        return [value.strip() for value in self.value.split("|") if value.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What has to hold: all of the one, and, where there are any, one of the other."""

    every: tuple[Condition, ...] = ()
    some: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if len(self.every) + len(self.some) > MAX_CONDITIONS:
            raise InvalidInput(f"a rule has {MAX_CONDITIONS} conditions at most")

    @property
    def fields(self) -> frozenset[Field]:
        """Return what they look at."""
        return frozenset(condition.field for condition in (*self.every, *self.some))


class Facts:
    """What is known of a ticket, by field; what words are compared by is worked out once."""

    __slots__ = ("_folded", "_known")

    def __init__(self, known: Mapping[Field, Fact]) -> None:
        self._known = known
        self._folded: dict[Field, str | frozenset[str]] = {}

    def __getitem__(self, field: Field) -> Fact:
        return self._known.get(field)

    def folded(self, field: Field) -> str | frozenset[str]:
        """Return a field's words for comparing; what is nothing, or no words, is empty."""
        if (found := self._folded.get(field)) is None:
            fact = self._known.get(field)
            if isinstance(fact, frozenset):
                found = frozenset(map(folded, fact))
            else:
                found = folded(fact) if isinstance(fact, str) else ""
            self._folded[field] = found
        return found


Test = Callable[[Facts], bool]


def compiled(conditions: Conditions) -> Test:
    """Return the conditions as a test of facts, with all that can be prepared prepared."""
    every = [_test(condition) for condition in conditions.every]
    some = [_test(condition) for condition in conditions.some]

    def test(facts: Facts) -> bool:
        return all(holds(facts) for holds in every) and (
            not some or any(holds(facts) for holds in some)
        )

    return test


def folded(words: str) -> str:
    """Return `words` for comparing: without case, accents and runs of space."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _test(condition: Condition) -> Test:
    field, comparison = condition.field, condition.comparison
    match KINDS[field], comparison:
        case _, Comparison.EMPTY:
            return lambda facts: not _is_filled(facts[field])
        case _, Comparison.FILLED:
            return lambda facts: _is_filled(facts[field])
        case Kind.FLAG, _:
            wanted = condition.value == "yes"
            return lambda facts: bool(facts[field]) is wanted
        case Kind.NUMBER, _:
            return _number_test(field, comparison, _number(condition.value, field))
        case _:
            return _words_test(field, comparison, [folded(value) for value in condition.values])


def _number_test(field: Field, comparison: Comparison, bound: float) -> Test:
    def test(facts: Facts) -> bool:
        value = facts[field]
        if not isinstance(value, int | float):
            return False
        match comparison:
            case Comparison.MORE:
                return value >= bound
            case Comparison.LESS:
                return value < bound
            case _:
                return value == bound

    return test


def _words_test(field: Field, comparison: Comparison, values: Sequence[str]) -> Test:
    is_part = KINDS[field] in {Kind.WORDS, Kind.TAGS}  # of the words, or one of the tags
    negates = comparison in {Comparison.IS_NOT, Comparison.HAS_NOT}

    def test(facts: Facts) -> bool:
        found = facts.folded(field)
        fits = any(value in found if is_part else value == found for value in values)
        return fits is not negates

    return test


def _is_filled(fact: Fact) -> bool:
    return fact is not None and fact != "" and fact != frozenset()


def _number(words: str, field: Field) -> float:
    try:
        return float(words.replace(",", "."))
    except ValueError:
        raise InvalidInput(f"{field} is compared with a number") from None
