"""Conditions of rules: a field of a ticket, a comparison, a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.domain.automation.fields import (
    BOUNDS,
    CHANGES,
    KINDS,
    WITHOUT_VALUE,
    Comparison,
    Field,
    Kind,
    custom_key,
    fitting,
)
from core.domain.errors import InvalidInput

MAX_CONDITIONS = 30
_MAX_VALUE_CHARS = 2_000
_MAX_NUMBER = 1_000_000  # hours, such as some can be, reach further than calendars do


class WrongCondition(InvalidInput):
    """A condition cannot be about its field; `sentence` says why, with the `{field}` left open."""

    def __init__(self, sentence: str, field: Field) -> None:
        super().__init__(sentence.format(field=field))
        self.sentence = sentence
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison. Several values, between `|`, mean any of them."""

    field: Field
    comparison: Comparison
    value: str = ""
    custom: UUID | None = None  # which field of a form, where it looks at one

    def __post_init__(self) -> None:
        kind = KINDS[self.field]
        if (self.field is Field.CUSTOM) is (self.custom is None):
            raise InvalidInput("a condition names the field that it looks at")
        if self.comparison not in fitting(self.field):
            raise WrongCondition("“{field}” cannot be compared like this", self.field)
        if len(self.value) > _MAX_VALUE_CHARS or "\x00" in self.value:
            raise InvalidInput(f"a value has {_MAX_VALUE_CHARS} characters at most")
        if self.comparison in WITHOUT_VALUE:
            return
        if not self.values:
            raise WrongCondition("the condition about “{field}” has no value", self.field)
        if kind is Kind.NUMBER:
            number(self.value, self.field)
        if kind is Kind.FLAG and self.value not in {"yes", "no"}:
            raise WrongCondition("“{field}” is yes or no", self.field)
        if kind is Kind.ANY and self.comparison in BOUNDS:
            bounds(self.value, self.field)

    @property
    def values(self) -> Sequence[str]:
        """Return the values, any of which fits."""
        return [value.strip() for value in self.value.split("|") if value.strip()]

    @property
    def key(self) -> str:
        """Return what facts know the field by."""
        return str(self.field) if self.custom is None else custom_key(self.custom)

    @property
    def is_of_change(self) -> bool:
        """Whether it looks at what just changed."""
        return self.comparison in CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What has to hold: all of the one, and, where there are any, one of the other."""

    every: tuple[Condition, ...] = ()
    some: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if len(self.every) + len(self.some) > MAX_CONDITIONS:
            raise InvalidInput(f"a rule has {MAX_CONDITIONS} conditions at most")
        if len({condition.key for condition in self.every if condition.is_of_change}) > 1:
            raise InvalidInput("a change is of one thing: of several, one can be enough")

    @property
    def fields(self) -> frozenset[Field]:
        """Return what they look at."""
        return frozenset(condition.field for condition in (*self.every, *self.some))

    @property
    def look_at_changes(self) -> bool:
        """Whether one of them looks at what just changed."""
        return any(condition.is_of_change for condition in (*self.every, *self.some))


def number(words: str, field: Field) -> float:
    """Return the number that a field is compared with, or raise `InvalidInput`."""
    found = _finite(words)
    if found is None:
        raise WrongCondition("“{field}” is compared with a number", field)
    if abs(found) > _MAX_NUMBER:
        raise WrongCondition("“{field}” is compared with a number up to a million", field)
    return found


def bounds(words: str, field: Field) -> tuple[float | None, str | None]:
    """Return the number and the date that `words` can be read as: "20240301" is both.

    Which of them is meant is up to what the field holds.

    Raises:
        InvalidInput: they are neither.
    """
    found = _finite(words), _day(words)
    if found == (None, None):
        raise WrongCondition("“{field}” is compared with a number or a date", field)
    return found


def _day(words: str) -> str | None:
    try:
        return date.fromisoformat(words.strip()).isoformat()
    except ValueError:
        return None


def _finite(words: str) -> float | None:
    try:
        found = float(words.replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) else None
