"""What is asked in a form, of whatever it is about: a category's tickets, or an item's requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.domain.classification import MAX_CHOICES, MAX_NAME_CHARS, FieldKind, checked_name
from core.domain.errors import InvalidInput
from core.domain.languages import LANGUAGES
from core.storage.tables import FormField

MOST_FIELDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDraft:
    """A field as somebody wants it."""

    label: str
    labels: Mapping[str, str] = field(default_factory=dict)  # by language
    kind: FieldKind = FieldKind.TEXT
    choices: Sequence[str] = ()
    choice_labels: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by language
    is_required: bool = False


def fill_field(row: FormField, draft: FieldDraft, kind: FieldKind) -> None:
    """Give `row` what `draft` says; `kind` is given apart, because that of an old field stays.

    Raises:
        InvalidInput: it has no label, or choices that cannot be.
    """
    row.label = checked_name(draft.label)
    row.labels = checked_names(draft.labels)
    row.kind = kind
    row.is_required = draft.is_required
    if kind != FieldKind.CHOICE:
        row.choices, row.choice_labels = [], {}
        return
    row.choices = list(dict.fromkeys(_tidy(draft.choices)))
    if not row.choices:
        raise InvalidInput("a choice needs something to choose from")
    labels = {code: _tidy(words) for code, words in draft.choice_labels.items()}
    labels = {code: words for code, words in labels.items() if words}
    if not set(labels) <= set(LANGUAGES):
        raise InvalidInput("the desk does not speak this language")
    if any(len(words) != len(row.choices) for words in labels.values()):
        raise InvalidInput("name all choices in a language, in their order, or none")
    said = [*row.choices, *(words for of in labels.values() for words in of)]
    if len(row.choices) > MAX_CHOICES or any(
        len(words) > MAX_NAME_CHARS or "\x00" in words for words in said
    ):
        raise InvalidInput("a field has 100 choices of 80 characters at most")
    row.choice_labels = labels


def checked_names(given: Mapping[str, str]) -> dict[str, str]:
    """Return names by language, without the empty ones.

    Raises:
        InvalidInput: one is too long, or in a language that the desk does not speak.
    """
    if not set(given) <= set(LANGUAGES):
        raise InvalidInput("the desk does not speak this language")
    return {code: checked_name(words) for code, words in given.items() if words.strip()}


def said_field(row: FormField) -> dict[str, Any]:
    """Return a field as the audit log tells of it."""
    return {
        "field": row.label,
        "labels": dict(row.labels),
        "kind": row.kind,
        "choices": list(row.choices),
        "choice labels": dict(row.choice_labels),
        "required": row.is_required,
    }


def _tidy(words: Sequence[str]) -> list[str]:
    return list(filter(None, (" ".join(one.split()) for one in words)))
