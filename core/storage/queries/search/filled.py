"""How tickets are found by what their fields hold, by how many hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.queries.search.latest import Usage, all_of, latest, since_enough
from core.storage.queries.search.terms import Term
from core.storage.tables import Ticket

_MANY = 800  # tickets; where more hold a value, the latest of them are looked at first
_COMMON = 5_000  # tickets; where more hold a value, only so many of the latest are looked through:
_LATEST = 100_000

# Counted, not taken from the planner: it knows how common words of a column are, but guesses at
# those of an index's expression.
_USES = text(
    "SELECT count(*) FROM (SELECT FROM ticket"
    " WHERE fields <> '{}' AND search_filled(fields) @@ CAST(:query AS tsquery)"
    " LIMIT :limit) AS filled"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How often a value is met, as far as it decides in which way it is looked for."""

    usage: Usage
    oldest: UUID | None = None  # what comes before this id is not looked at


async def spread_in_fields(session: AsyncSession, terms: Sequence[Term]) -> Spread:
    """Return how often all of `terms` are met in the fields of one ticket."""
    query = all_of([term.query for term in terms])
    uses = (await session.execute(_USES, {"query": query, "limit": _COMMON + 1})).scalar_one()
    if uses <= _MANY:
        return Spread(usage=Usage())
    usage = Usage(since=await since_enough(session, Ticket.id, uses))
    if uses <= _COMMON:
        return Spread(usage=usage)
    oldest = select(Ticket.id).order_by(Ticket.id.desc()).offset(_LATEST).limit(1)
    return Spread(usage=usage, oldest=await session.scalar(oldest))


def latest_filled(query: Select[Any], spread: Spread, *, limit: int) -> Select[Any]:
    """Return the latest tickets of a statement that looks for a value in their fields."""
    if spread.oldest is not None:
        query = query.where(Ticket.id >= spread.oldest)
    return latest(query, Ticket.id, spread.usage, limit=limit)


def filled_document(fields: Any) -> ColumnElement[Any]:
    """Return what `fields` of a ticket are found by."""
    return func.search_filled(fields)


def filled_with(ticket: Any, query: str) -> ColumnElement[bool]:
    """Return the condition that `query`, a tsquery, finds something in a ticket's fields.

    The index is of tickets alone of which a field is filled in.
    """
    found = filled_document(ticket.fields).bool_op("@@")(
        cast(bindparam(None, query, unique=True), TSQUERY)
    )
    return and_(ticket.fields != literal_column("'{}'::jsonb"), found)
