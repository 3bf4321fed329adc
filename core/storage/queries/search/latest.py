"""How the latest texts that have certain words are found, by how many have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, literal, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.storage.queries.search.terms import Term
from core.storage.tables import Message

_COMMON = 12_000  # rows; where a question fits more, the latest are looked through one by one
_LATEST = 100_000  # rows that are looked through then
_MANY = 800  # texts; where a word is in more, the latest of them are looked at first
_FIRST = 400  # how many are to be among the latest that are looked at first
_TIME_BITS = 80  # of an id below the milliseconds in which it was made (RFC 9562, version 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How often words are met, as far as it decides in which way they are looked for."""

    is_common: bool = False
    since: UUID | None = None  # from this id on there should be enough of them


async def usage_in_tickets(
    session: AsyncSession, document: InstrumentedAttribute[str | None], terms: Sequence[Term]
) -> Usage:
    """Return how often all of `terms`, the rarest first, are met in one ticket."""
    return Usage(is_common=await _are_common(session, document, terms))


async def usage_in_messages(session: AsyncSession, terms: Sequence[Term]) -> Usage:
    """Return how often all of `terms`, the rarest first, are met in one message."""
    if await _are_common(session, Message.document, terms):
        return Usage(is_common=True)
    if not terms or terms[0].uses <= _MANY:
        return Usage()
    first = await session.scalar(select(Message.id).order_by(Message.id).limit(1))
    last = await session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1))
    if first is None or last is None:
        return Usage()
    begins, ends = first.int >> _TIME_BITS, last.int >> _TIME_BITS
    since = ends - (ends - begins) * _FIRST // terms[0].uses
    return Usage(since=UUID(int=since << _TIME_BITS))


async def _are_common(
    session: AsyncSession,
    document: InstrumentedAttribute[str | None],
    terms: Sequence[Term],
) -> bool:
    """Return whether very many documents have all of `terms`.

    Both have to say so: how often the words were seen, and the planner. That one knows how often
    the commonest stems occur, but takes all others to be rather common; a word that was seen often
    may seldom be seen together with another.
    """
    if not terms or terms[0].uses <= _COMMON:
        return False
    query = all_of([term.query for term in terms])
    table = document.property.columns[0].table.name
    rows = await session.execute(
        text(
            f"EXPLAIN (FORMAT JSON) SELECT FROM {table} WHERE document @@ CAST(:query AS tsquery)"
        ),
        {"query": query},
    )
    ((plan,),) = rows.all()
    return float(plan[0]["Plan"]["Plan Rows"]) > _COMMON


def latest(
    query: Select[Any], key: InstrumentedAttribute[UUID], usage: Usage, *, limit: int
) -> Select[Any]:
    """Return the latest rows of a statement that has words looked for.

    The planner, left to itself, goes back through the primary key until enough rows fit, for words
    that it takes to be more usual than they are: through millions, if they are rare. So it is told
    which way to go. Of common words, what is older than very many rows is not looked at. What
    comes before `usage.since` is looked at only where less than `limit` rows come after it: each
    row is a page of the table to read.
    """
    if usage.is_common:
        row = key.property.columns[0].table.alias()
        oldest = select(row.c.id).order_by(row.c.id.desc()).offset(_LATEST).limit(1)
        since = func.coalesce(oldest.scalar_subquery(), literal(UUID(int=0)))
        return query.where(key >= since).order_by(key.desc()).limit(limit)
    # As text they come in the same order, but from no index.
    query = query.order_by(cast(key, Text).desc())
    if usage.since is None:
        return query.limit(limit)
    recent = query.where(key >= usage.since).limit(limit).cte()
    missing = limit - select(func.count()).select_from(recent).scalar_subquery()
    older = query.where(key < usage.since).limit(missing).subquery()
    # Without a limit of its own the planner would take it for more, and join it in another way.
    return select(union_all(select(recent), select(older)).subquery()).limit(limit)


def all_of(queries: Sequence[str]) -> str:
    """Return a tsquery for what all of `queries` find; words without one are passed over."""
    return " & ".join(f"({query})" for query in queries if query)
