"""What a ticket is about: its kind, how much it matters, what is asked about it, its tags."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from core.domain.errors import InvalidInput
from core.domain.ids import CategoryId, FormFieldId
from core.domain.ticket import Priority

MAX_NAME_CHARS = 80
MAX_FIELD_CHARS = 2_000
MAX_CHOICES = 100
MAX_TAG_CHARS = 40
MAX_TAGS = 30
MAX_DEPTH = 5


class Kind(StrEnum):
    """What a ticket is."""

    INCIDENT = "incident"  # something does not work
    REQUEST = "request"  # something is wanted
    QUESTION = "question"
    PROBLEM = "problem"  # the cause of incidents


class Extent(StrEnum):
    """How far something reaches (impact), or how long it can wait (urgency)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


Matrix = Mapping[tuple[Extent, Extent], Priority]
"""The priority of each impact and urgency."""

_E, _P = Extent, Priority

USUAL_MATRIX: Matrix = MappingProxyType(
    {
        (_E.LOW, _E.LOW): _P.LOW,
        (_E.LOW, _E.MEDIUM): _P.LOW,
        (_E.LOW, _E.HIGH): _P.NORMAL,
        (_E.MEDIUM, _E.LOW): _P.LOW,
        (_E.MEDIUM, _E.MEDIUM): _P.NORMAL,
        (_E.MEDIUM, _E.HIGH): _P.HIGH,
        (_E.HIGH, _E.LOW): _P.NORMAL,
        (_E.HIGH, _E.MEDIUM): _P.HIGH,
        (_E.HIGH, _E.HIGH): _P.URGENT,
    }
)
"""The matrix of a desk whose admins have set none."""


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """Something that is asked: of a category's tickets and of those below it, or with an item."""

    id: FormFieldId
    owner: UUID  # a category, or an item of the catalogue
    label: str  # in the desk's default language
    labels: Mapping[str, str]  # by language
    kind: FieldKind
    choices: Sequence[str] = ()
    choice_labels: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by language
    is_required: bool = False  # before a ticket is solved; of an item: before it is asked for

    @property
    def key(self) -> str:
        """Return what a ticket keeps the value under."""
        return str(self.id)

    def named(self, language: str | None) -> str:
        """Return what it is called in `language`."""
        return self.labels.get(language or "") or self.label

    def choice_named(self, choice: str, language: str | None) -> str:
        """Return what one of the choices is called in `language`."""
        names = dict(zip(self.choices, self.choice_labels.get(language or "", ()), strict=False))
        return names.get(choice, choice)

    def value(self, given: Any) -> Any:
        """Return what a ticket keeps for what somebody gave; None for nothing.

        Raises:
            WrongField: it is not of the field's kind.
        """
        if given is None or (isinstance(given, str) and not given.strip()):
            return None
        kept = _READERS[self.kind](self, given)
        if kept is None:
            raise WrongField(self)
        return kept


class WrongField(InvalidInput):
    """A value does not fit its field."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(f"this is not a value for the field {spec.label!r}")
        self.spec = spec


class WrongComparison(InvalidInput):
    """A field is not compared like that."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(f"the field {spec.label!r} cannot be compared like this")
        self.spec = spec


class FieldsMissing(InvalidInput):
    """A ticket cannot be solved before some fields are filled in."""

    def __init__(self, specs: Sequence[FieldSpec]) -> None:
        names = ", ".join(spec.label for spec in specs)
        super().__init__(f"fill in before solving: {names}")
        self.specs = specs


def _text(_: FieldSpec, given: Any) -> str | None:
    if not isinstance(given, str) or len(given) > MAX_FIELD_CHARS or "\x00" in given:
        return None
    return given.strip()


def _number(_: FieldSpec, given: Any) -> float | int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str):
        try:
            # Spanish speakers write a decimal comma.
            given = float(given.strip().replace(",", ".")) if len(given) <= MAX_TAG_CHARS else None
        except ValueError:
            return None
    try:
        if not isinstance(given, int | float) or not math.isfinite(given):
            return None
    except OverflowError:  # an integer that is larger than any float
        return None
    return int(given) if given == int(given) and abs(given) < 2**53 else given


def _date(_: FieldSpec, given: Any) -> str | None:
    try:
        return date.fromisoformat(given.strip()).isoformat() if isinstance(given, str) else None
    except ValueError:
        return None


def _choice(spec: FieldSpec, given: Any) -> str | None:
    return given if given in spec.choices else None


def _yes_no(_: FieldSpec, given: Any) -> bool | None:
    if isinstance(given, bool):
        return given
    return {"yes": True, "no": False}.get(given) if isinstance(given, str) else None


_READERS = MappingProxyType(
    {
        FieldKind.TEXT: _text,
        FieldKind.NUMBER: _number,
        FieldKind.DATE: _date,
        FieldKind.CHOICE: _choice,
        FieldKind.YES_NO: _yes_no,
    }
)


def missing(specs: Iterable[FieldSpec], values: Mapping[str, Any]) -> list[FieldSpec]:
    """Return the required fields that have no value."""
    return [spec for spec in specs if spec.is_required and values.get(spec.key) is None]


def checked_name(words: str) -> str:
    """Return `words` as a name.

    Raises:
        InvalidInput: it is empty or too long.
    """
    name = " ".join(words.split())
    if not name:
        raise InvalidInput("a name is needed")
    if len(name) > MAX_NAME_CHARS or "\x00" in name:
        raise InvalidInput("a name has 80 characters at most")
    return name


def checked_tags(given: Iterable[str]) -> list[str]:
    """Return tags as they are kept: small letters, each once, in the given order.

    Raises:
        InvalidInput: one is too long, or there are too many.
    """
    tags: list[str] = []
    for words in given:
        tag = unicodedata.normalize("NFC", " ".join(words.lower().replace(",", " ").split()))
        if not tag or tag in tags:
            continue
        if len(tag) > MAX_TAG_CHARS or "\x00" in tag:
            raise InvalidInput("a tag has 40 characters at most")
        tags.append(tag)
    if len(tags) > MAX_TAGS:
        raise InvalidInput("a ticket has 30 tags at most")
    return tags


def check_place(
    parents: Mapping[CategoryId, CategoryId | None],
    category: CategoryId | None,
    parent: CategoryId | None,
) -> None:
    """See that `category`, new if None, can stand below `parent`.

    Raises:
        InvalidInput: it would stand below itself, or too deep.
    """
    above = 0
    at = parent
    while at is not None:
        if at == category:
            raise InvalidInput("a category cannot stand below itself")
        above += 1
        at = parents.get(at)
    below = 0 if category is None else _height(parents, category)
    if above + 1 + below > MAX_DEPTH:
        raise InvalidInput("categories go five levels deep at most")


def _height(parents: Mapping[CategoryId, CategoryId | None], category: CategoryId) -> int:
    children = [one for one, parent in parents.items() if parent == category]
    return max((1 + _height(parents, child) for child in children), default=0)
