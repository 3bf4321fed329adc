"""Tickets as a table to be saved: a line for each, a column for each custom field they have."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from console.tables.files import table
from console.words.classification import KIND, value_in_words
from console.words.queue import TABLE_HEADS
from console.words.states import PRIORITY, STATUS, Translate, channel_in_words, label
from core.domain.assets import harmless
from core.domain.automation.conditions import Condition
from core.domain.automation.fields import custom_key
from core.domain.classification import FieldSpec
from core.domain.ids import AgentId
from core.domain.views import ViewId
from core.services.audit import record
from core.services.tickets.views import filter_of_view
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import Sight
from core.storage.queries.classification.categories import CategoryTree, category_tree, spec_of
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.listing import (
    Place,
    TicketSort,
    held_among,
    tickets_in_order,
)
from core.storage.queries.tickets.tickets import Named, Person, TicketView
from core.storage.queries.tickets.views import view_named
from core.storage.tables import CatalogueItem, FormField

FILE = "tickets.csv"
MOST = 50_000
_PART = 200  # reading more would keep the event loop for longer at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which tickets somebody saves, and what the audit log says of it."""

    wanted: TicketFilter
    subject: tuple[str, object, str]  # kind, id and name, as `record` takes them
    narrowed: Mapping[str, Any] = field(default_factory=dict)  # by what, as JSON


async def asked_by_view(
    session: AsyncSession, view: ViewId, me: AgentId, sight: Sight | None
) -> Asked:
    """Return the tickets that a view shows `me`.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    shown = await view_named(session, view, me)
    return Asked(
        wanted=await filter_of_view(session, shown, me, sight),
        subject=("view", view, shown.name),
        narrowed=shown.wanted.to_json() | conditions_kept(shown.wanted.fields),
    )


def conditions_kept(fields: Sequence[Condition]) -> dict[str, Any]:
    """Return conditions on custom fields as the audit log has those of rules."""
    kept = [
        {
            "field": custom_key(str(one.custom)),
            "comparison": str(one.comparison),
            "value": one.value,
        }
        for one in fields
    ]
    return {"fields": kept} if kept else {}


async def exported(
    sessions: Sessions, asked: Asked, *, actor: str, t: Translate, language: str
) -> Response:
    """Return the newest tickets that fit as CSV (RFC 4180); the audit log has that they were.

    They are read in parts, each in a transaction of its own, and written beside the event loop:
    other requests are answered meanwhile.
    """
    async with storage_errors(), sessions() as session:
        tree = await category_tree(session)
        fields = await _columns(session, asked.wanted, tree, language)
    lines = Lines(list(fields.values()), tree, t, language)
    written = [await asyncio.to_thread(lines.heading, fields)]
    count = 0
    async for part in _parts(sessions, asked.wanted):
        written.append(await asyncio.to_thread(lines.of, part))
        count += len(part)
    async with storage_errors(), sessions.begin() as session:
        new = {"tickets": count, **asked.narrowed}
        record(session, actor, "ticket.exported", asked.subject, new=new)
    return table(b"".join(written), FILE)


class Lines:
    """Writes tickets as CSV in UTF-8, with columns for some fields; no cell is a formula."""

    def __init__(
        self, fields: Sequence[FieldSpec], tree: CategoryTree, t: Translate, language: str
    ) -> None:
        self._columns = {spec.key: (at, spec) for at, spec in enumerate(fields)}
        self._tree = tree
        self._t = t
        self._language = language

    def heading(self, names: Iterable[str]) -> bytes:
        """Return the first line: `names` stand above the fields."""
        return _csv([[*map(self._t, TABLE_HEADS), *map(harmless, names)]])

    def of(self, tickets: Iterable[TicketView]) -> bytes:
        """Return a line for each ticket."""
        return _csv([self._line(one) for one in tickets])

    def _line(self, one: TicketView) -> list[object]:
        t = self._t
        category = "" if one.category is None else self._tree.path(one.category.id, self._language)
        cells = (
            one.subject,
            label(STATUS, one.status, t),
            label(PRIORITY, one.priority, t),
            label(KIND, one.kind, t),
            category,
            _name(one.team),
            _name(one.assignee),
            _name(one.requester),
            one.requester.email or "",
            _name(one.organisation),
            channel_in_words(one.channel, t),
            one.language,
            ", ".join(one.tags),
        )
        moments = (
            *(one.created_at, one.updated_at, one.first_response_at, one.solved_at, one.closed_at),
            *(one.due_at, one.sla_due_at),
        )
        held: list[object] = [""] * len(self._columns)
        for key, value in one.fields.items():
            if key in self._columns:
                at, spec = self._columns[key]
                held[at] = _cell(spec, value, t, self._language)
        return [one.number, *map(harmless, cells), *map(_moment, moments), *held]


def _csv(lines: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()


async def _parts(sessions: Sessions, wanted: TicketFilter) -> AsyncIterator[Sequence[TicketView]]:
    """Read the newest tickets that fit, `MOST` of them; no transaction is open between parts."""
    left, after = MOST, None
    while left > 0:
        limit = min(_PART, left)
        async with storage_errors(), sessions() as session:
            part = await tickets_in_order(
                session, wanted, TicketSort.NEWEST, after=after, limit=limit
            )
        yield part
        if len(part) < limit:
            break
        left -= limit
        after = Place.of(part[-1], TicketSort.NEWEST)


async def _columns(
    session: AsyncSession, wanted: TicketFilter, tree: CategoryTree, language: str
) -> Mapping[str, FieldSpec]:
    """Return the fields that the newest tickets hold or are asked for, by their headings."""
    categories, held = await held_among(session, wanted, most=MOST)
    asked = {spec.id for category in categories for spec in tree.fields_of(category)}
    rows = await session.execute(
        select(FormField, CatalogueItem.name)
        .outerjoin(CatalogueItem, CatalogueItem.id == FormField.item_id)
        .where(FormField.id.in_({*asked, *(UUID(key) for key in held if _is_id(key))}))
    )
    found = [
        (tree.path(row.category_id, language) or item or "", row.position, spec_of(row))
        for row, item in rows
    ]
    names = Counter(spec.named(language) for _, _, spec in found)
    columns: dict[str, FieldSpec] = {}
    for owner, _, spec in sorted(found, key=lambda one: (one[0], one[1], one[2].key)):
        name = spec.named(language)
        if names[name] > 1:
            name = f"{name} ({owner})"
        while name in columns:  # of one category, one of them archived
            name += " ·"
        columns[name] = spec
    return columns


def _is_id(key: str) -> bool:
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False  # what the assistant noted


def _name(one: Named | Person | None) -> str:
    return "" if one is None else one.name or ""


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _cell(spec: FieldSpec, value: Any, t: Translate, language: str) -> str | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value  # a number below zero is no formula
    words = value_in_words(value, t)
    return harmless(spec.choice_named(words, language))
