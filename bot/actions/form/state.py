"""Knows what a form has been told so far; every change gives a new form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from actions.form.fields import BUILT_IN, LABELS, URGENCY_LABELS, WHAT, Field

_MAX_SUBJECT = 80
_MAX_SHOWN = 300  # characters of a value in the summary
_APART = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form being filled in. `values` keeps the order in which its fields were filled."""

    kind: str  # "incident" or "request"
    item: str | None = None  # the catalogue's item, where it is one
    title: str = ""  # of that item
    fields: tuple[Field, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[str, ...] = ()  # what was said of the description afterwards
    also: tuple[str, ...] = ()  # what else was said and asked meanwhile
    is_by_letter: bool = False  # asked for everything at once, and sent when that is answered
    is_choosing: bool = False  # the requester was asked which field to change
    is_sent: bool = False

    @classmethod
    def begun(cls, kind: str, *, what: str | None = None, is_by_letter: bool = False) -> Form:
        """Return an empty form of `kind`; `what` is what was said of the matter already."""
        values = {"what": what} if what else {}
        fields = (WHAT,) if is_by_letter else BUILT_IN[kind]
        return cls(kind=kind, fields=fields, values=values, is_by_letter=is_by_letter)

    @classmethod
    def from_slot(cls, stored: Mapping[str, Any] | None) -> Form | None:
        """Return the form that a slot holds, or None."""
        if not stored:
            return None
        return cls(
            kind=str(stored["kind"]),
            item=stored.get("item"),
            title=str(stored.get("title") or ""),
            fields=tuple(Field.from_json(one) for one in stored["fields"]),
            values=dict(stored["values"]),
            corrections=tuple(stored.get("corrections") or ()),
            also=tuple(stored.get("also") or ()),
            is_by_letter=bool(stored.get("is_by_letter")),
            is_choosing=bool(stored.get("is_choosing")),
            is_sent=bool(stored.get("is_sent")),
        )

    def slot(self) -> dict[str, Any]:
        """Return the form as a slot can hold it."""
        return {
            "kind": self.kind,
            "item": self.item,
            "title": self.title,
            "fields": [one.json() for one in self.fields],
            "values": dict(self.values),
            "corrections": list(self.corrections),
            "also": list(self.also),
            "is_by_letter": self.is_by_letter,
            "is_choosing": self.is_choosing,
            "is_sent": self.is_sent,
        }

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be asked: the requester sent it, or it came as a letter."""
        return self.is_sent or (self.is_by_letter and self.open_field is None)

    @property
    def open_field(self) -> Field | None:
        """The field that is asked for next; None once all are filled."""
        return next((one for one in self.fields if one.name not in self.values), None)

    @property
    def last_text(self) -> Field | None:
        """The free text that was told last: what a correction without a name is about."""
        texts = {one.name: one for one in self.fields if one.kind == "text"}
        return next((texts[name] for name in reversed(list(self.values)) if name in texts), None)

    def filled(self, name: str, value: str) -> Form:
        """Return the form with `value` in the field `name`."""
        rest = {key: kept for key, kept in self.values.items() if key != name}
        corrections = () if name == "what" else self.corrections
        return replace(self, values={**rest, name: value}, corrections=corrections)

    def reopened(self, name: str) -> Form:
        """Return the form with the field `name` to be asked for again."""
        kept = {key: value for key, value in self.values.items() if key != name}
        corrections = () if name == "what" else self.corrections
        return replace(self, values=kept, corrections=corrections)

    def back(self) -> Form:
        """Return the form as it was before the field filled last."""
        return self.reopened(list(self.values)[-1]) if self.values else self

    def corrected(self, words: str) -> Form:
        """Return the form with `words` on the text told last; what was said before stays."""
        field = self.last_text
        if field is None:
            return self
        if field.name == "what":
            return replace(self, corrections=(*self.corrections, words))
        return self.filled(field.name, words)

    def adding(self, words: str) -> Form:
        """Return the form with `words` for whoever reads the ticket."""
        return replace(self, also=(*self.also, words))

    def choosing(self, is_choosing: bool = True) -> Form:
        """Return the form, with or without the open question which field to change."""
        return replace(self, is_choosing=is_choosing)

    def sent(self) -> Form:
        """Return the form, confirmed by the requester."""
        return replace(self, is_sent=True)

    @property
    def description(self) -> str:
        """What the ticket is about, with what was corrected and asked afterwards."""
        told = self.values.get("what") or self.title
        return _APART.join((told, *self.corrections, *self.also))

    @property
    def subject(self) -> str:
        """One line for the ticket, cut at a word."""
        told = self.title or self.values.get("what", "")
        first = next(iter(told.strip().splitlines()), "")
        line = " ".join(" – ".join((first, *self.corrections)).split())
        if len(line) <= _MAX_SUBJECT:
            return line
        return line[: _MAX_SUBJECT - 1].rsplit(" ", 1)[0] + "…"

    def shown(self, language: str) -> Sequence[tuple[str, str]]:
        """Return name and value of what is filled, for people, in the fields' order."""
        told = [
            (one.title(language), self._shown_value(one, language))
            for one in self.fields
            if self.values.get(one.name)
        ]
        return told + [(LABELS[language]["also"], _in_a_line(words)) for words in self.also]

    def _shown_value(self, one: Field, language: str) -> str:
        value = self.values[one.name]
        if one.kind == "urgency":
            return URGENCY_LABELS[language].get(value, value)
        if one.kind == "choice":
            return next((label for name, label in one.choices if name == value), value)
        if one.name == "what":
            value = " – ".join((value, *self.corrections))
        return _in_a_line(value)


def _in_a_line(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _MAX_SHOWN else line[: _MAX_SHOWN - 1] + "…"
