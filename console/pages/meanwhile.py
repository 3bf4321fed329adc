"""What a colleague changed of a record while somebody had its form open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from starlette.datastructures import FormData

from console.desk import desk_of
from console.pages.session import text_field
from console.pages.view import translator
from console.words import meanwhile as said
from console.words.audit import actor_in_words
from core.storage.engine import storage_errors
from core.storage.queries.audit import last_entry

_MAX_DIGITS = 18
_IN_WORDS = frozenset({"name", "text", "url"})  # what the log keeps as somebody wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One thing that is different; `old` and `new` where they are words."""

    label: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """Who changed a record last, when, and what of it."""

    who: str
    at: datetime
    what: Sequence[Changed]


def revision_in(form: FormData) -> int | None:
    """Return which revision of a record a form was filled in over; None where it does not say."""
    words = text_field(form, "revision")
    is_number = words.isascii() and words.isdigit() and len(words) <= _MAX_DIGITS
    return int(words) if is_number else None


async def changed_meanwhile(request: Request, kind: str, key: object) -> Meanwhile | None:
    """Return the latest change of a record, by the audit log; None where that knows of none."""
    async with storage_errors(), desk_of(request).sessions() as session:
        entry = await last_entry(session, kind, str(key))
    if entry is None:
        return None
    t = translator(request)
    old, new = entry.old or {}, entry.new or {}
    return Meanwhile(
        who=actor_in_words(entry, t),
        at=entry.at,
        what=[
            Changed(label=t(label), old=_words(old, field), new=_words(new, field))
            for field, label in said.CHANGED.items()
            if field in old or field in new
        ],
    )


def _words(values: Mapping[str, object], field: str) -> str | None:
    found = values.get(field)
    return found if field in _IN_WORDS and isinstance(found, str) else None
