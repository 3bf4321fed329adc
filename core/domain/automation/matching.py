"""Whether conditions hold of what is known of a ticket."""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from core.domain.automation.conditions import Condition, Conditions, bounds, number
from core.domain.automation.fields import BOUNDS, KINDS, Comparison, Kind

_ORDERED: Mapping[Comparison, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        Comparison.MORE: operator.ge,
        Comparison.LESS: operator.lt,
        Comparison.AT_MOST: operator.le,
    }
)

Fact = str | float | bool | frozenset[str] | None
"""What is known of one field: words or an id, a number, yes or no, several words, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What just became of one field."""

    key: str  # the field's
    old: Fact
    new: Fact


class Facts:
    """What is known of a ticket, by field; what words are compared by is worked out once."""

    __slots__ = ("_folded", "_known", "changed")

    def __init__(self, known: Mapping[str, Fact], changed: Changed | None = None) -> None:
        self._known = known
        self._folded: dict[str, str | frozenset[str]] = {}
        self.changed = changed

    def __getitem__(self, key: str) -> Fact:
        return self._known.get(key)

    def folded(self, key: str) -> str | frozenset[str]:
        """Return a field's words for comparing; what is nothing, or no words, is empty."""
        if (found := self._folded.get(key)) is None:
            found = self._folded[key] = _folded_fact(self._known.get(key))
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
    key, comparison = condition.key, condition.comparison
    match KINDS[condition.field], comparison:
        case _, Comparison.EMPTY:
            return lambda facts: not _is_filled(facts[key])
        case _, Comparison.FILLED:
            return lambda facts: _is_filled(facts[key])
        case _, Comparison.CHANGED:
            return lambda facts: facts.changed is not None and facts.changed.key == key
        case _, Comparison.CHANGED_TO | Comparison.CHANGED_FROM:
            return _change_test(condition)
        case Kind.FLAG, _:
            wanted = condition.value == "yes"
            return lambda facts: bool(facts[key]) is wanted
        case Kind.NUMBER, _:
            return _number_test(key, comparison, number(condition.value, condition.field))
        case Kind.ANY, _ if comparison in BOUNDS:
            return _bounds_test(key, comparison, *bounds(condition.value, condition.field))
        case Kind.ANY, _:
            return _any_test(condition)
        case _:
            return _words_test(condition)


def _number_test(key: str, comparison: Comparison, limit: float) -> Test:
    return _bounds_test(key, comparison, limit, None)


def _bounds_test(key: str, comparison: Comparison, limit: float | None, day: str | None) -> Test:
    """Return a test of a number against `limit`, or of a date, whose text sorts as it does."""
    within: Callable[[Any, Any], bool] = _ORDERED.get(comparison, operator.eq)

    def test(facts: Facts) -> bool:
        value = facts[key]
        if isinstance(value, str):
            return day is not None and within(value, day)
        return limit is not None and isinstance(value, int | float) and within(value, limit)

    return test


def _words_test(condition: Condition) -> Test:
    key, values = condition.key, [folded(value) for value in condition.values]
    has_words = KINDS[condition.field] is Kind.WORDS
    negates = condition.comparison in {Comparison.IS_NOT, Comparison.HAS_NOT}

    def test(facts: Facts) -> bool:
        return _fits(facts.folded(key), values, is_part=has_words) is not negates

    return test


def _any_test(condition: Condition) -> Test:
    key, fits = condition.key, _fits_any(condition)
    negates = condition.comparison in {Comparison.IS_NOT, Comparison.HAS_NOT}
    return lambda facts: fits(facts[key]) is not negates


def _change_test(condition: Condition) -> Test:
    key, comparison = condition.key, condition.comparison
    fits = _fits_any(condition)

    def test(facts: Facts) -> bool:
        changed = facts.changed
        if changed is None or changed.key != key:
            return False
        fitted, fits_now = fits(changed.old), fits(changed.new)
        if comparison is Comparison.CHANGED_TO:
            return fits_now and not fitted
        return fitted and not fits_now

    return test


def _fits_any(condition: Condition) -> Callable[[Fact], bool]:
    """Return whether one of a condition's values is what a fact says."""
    # A text, and the name of a choice, may have a "|" in it.
    values = [folded(value) for value in (*condition.values, condition.value)]
    numbers = {found for value in condition.values if (found := _as_number(value)) is not None}
    is_part = condition.comparison in {Comparison.HAS, Comparison.HAS_NOT}

    def fits(fact: Fact) -> bool:
        if isinstance(fact, int | float) and not isinstance(fact, bool):
            return fact in numbers
        return _fits(_folded_fact(fact), values, is_part=is_part)

    return fits


def _fits(found: str | frozenset[str], values: Sequence[str], *, is_part: bool) -> bool:
    if is_part or isinstance(found, frozenset):
        return any(value in found for value in values)
    return found in values


def _folded_fact(fact: Fact) -> str | frozenset[str]:
    if isinstance(fact, frozenset):
        return frozenset(map(folded, fact))
    return folded(fact) if isinstance(fact, str) else ""


def _is_filled(fact: Fact) -> bool:
    return fact is not None and fact != "" and fact != frozenset()


def _as_number(words: str) -> float | None:
    try:
        return float(words.replace(",", "."))
    except ValueError:
        return None
