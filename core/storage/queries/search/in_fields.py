"""How tickets are found by words that their custom fields hold, by how many hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.queries.search.terms import Term
from core.storage.tables import Ticket, TicketField

_COMMON = 5_000  # fields; where more hold a word, those of the latest tickets are looked through
_LATEST = 20_000  # tickets that are looked through then

Held = Mapping[Term, int]
"""Words that some field holds, and how many do: `_COMMON` and one more at most."""


async def held_in_fields(session: AsyncSession, terms: Sequence[Term]) -> Held:
    """Return which of `terms` a field holds. Most words are in none, which an index knows."""
    if not terms:
        return {}
    each = [
        select(literal(place), func.count()).select_from(
            select(TicketField.ticket_id)
            .where(holds(TicketField, term.query))
            .limit(_COMMON + 1)
            .subquery()
        )
        for place, term in enumerate(terms)
    ]
    rows = await session.execute(union_all(*each))
    return {terms[place]: count for place, count in rows if count}


def holds(field: Any, query: str) -> ColumnElement[bool]:
    """Return the condition that `query`, a tsquery, finds something in a field."""
    return field.document.bool_op("@@")(cast(bindparam(None, query, unique=True), TSQUERY))  # type: ignore[no-any-return]


def latest_held(query: Select[Any], held: int, *, limit: int) -> Select[Any]:
    """Return the latest tickets of a statement that looks for what so many fields hold."""
    if held <= _COMMON:
        # As text they come in the same order, but from no index: the planner, left to itself,
        # would go back through all tickets for what only a few hold.
        return query.order_by(cast(TicketField.ticket_id, Text).desc()).limit(limit)
    oldest = select(Ticket.id).order_by(Ticket.id.desc()).offset(_LATEST).limit(1)
    since = func.coalesce(oldest.scalar_subquery(), literal(UUID(int=0)))
    return (
        query.where(TicketField.ticket_id >= since)
        .order_by(TicketField.ticket_id.desc())
        .limit(limit)
    )
