"""Tickets as a table to be saved: a line for each, a column for each custom field they have."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from core.domain.classification import FieldSpec
from core.services.audit import record
from core.storage.queries.classification.categories import CategoryTree, category_tree, spec_of
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.listing import Place, TicketSort, tickets_in_order
from core.storage.queries.tickets.tickets import Named, Person, TicketView
from core.storage.tables import CatalogueItem, FormField

MOST = 50_000
_PART = 1_000


async def exported(
    session: AsyncSession,
    wanted: TicketFilter,
    *,
    name: str,
    actor: str,
    t: Translate,
    language: str,
) -> Response:
    """Return the newest tickets that fit as CSV (RFC 4180); the audit log has that they were.

    `name` is what the log calls them.
    """
    found = await _read(session, wanted)
    record(session, actor, "ticket.exported", ("ticket", "all", name), new={"tickets": len(found)})
    tree = await category_tree(session)
    fields = await _columns(session, found, tree, language)
    return table(as_table(found, fields, tree, t, language), "tickets.csv")


def as_table(
    tickets: Iterable[TicketView],
    fields: Mapping[str, FieldSpec],
    tree: CategoryTree,
    t: Translate,
    language: str,
) -> str:
    """Return tickets as CSV, with the `fields` that their headings name; no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*(t(head) for head in TABLE_HEADS), *map(harmless, fields)])
    for one in tickets:
        cells = (
            one.subject,
            label(STATUS, one.status, t),
            label(PRIORITY, one.priority, t),
            label(KIND, one.kind, t),
            "" if one.category is None else tree.path(one.category.id, language),
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
        writer.writerow(
            [
                one.number,
                *map(harmless, cells),
                *map(_moment, moments),
                *(_cell(spec, one.fields.get(spec.key), t, language) for spec in fields.values()),
            ]
        )
    return out.getvalue()


async def _read(session: AsyncSession, wanted: TicketFilter) -> Sequence[TicketView]:
    found: list[TicketView] = []
    after: Place | None = None
    while len(found) < MOST:
        limit = min(_PART, MOST - len(found))
        part = await tickets_in_order(session, wanted, TicketSort.NEWEST, after=after, limit=limit)
        found += part
        if len(part) < limit:
            break
        after = Place.of(part[-1], TicketSort.NEWEST)
    return found


async def _columns(
    session: AsyncSession, tickets: Sequence[TicketView], tree: CategoryTree, language: str
) -> Mapping[str, FieldSpec]:
    """Return the fields that tickets hold or are asked for, by their headings."""
    asked = {one.category.id for one in tickets if one.category is not None}
    wanted = {spec.id for category in asked for spec in tree.fields_of(category)}
    held = {key for one in tickets for key in one.fields if _is_id(key)}
    rows = await session.execute(
        select(FormField, CatalogueItem.name)
        .outerjoin(CatalogueItem, CatalogueItem.id == FormField.item_id)
        .where(FormField.id.in_({*wanted, *map(UUID, held)}))
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
