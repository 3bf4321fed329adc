"""Finds tickets that are like another, and what they suggest about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Text, cast, literal, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import CategoryId, TeamId, TicketId
from core.domain.ticket import CATEGORY, ClosedAs, StatusCategory, TicketStatus
from core.storage.queries.access.sight import Sight
from core.storage.queries.classification.categories import CategoryTree
from core.storage.queries.conversations.messages import LAST_ANSWER
from core.storage.tables import Ticket, TicketVector
from core.storage.tables.vector import HalfVector

_LOOKED_AT = 12
_VOTERS = 5
_FEWEST_VOTES = 2
_SHOWN = 3
_NEAR = 0.87  # cosine; measured: see docs/tickets.md
_COMMON = 0.35  # of the other's words, weighed
_MOST_TICKETS = 500  # that a ticket's rare words together lead to
_RESOLUTION_CHARS = 5_000
_DONE = [s for s in TicketStatus if CATEGORY[s] == StatusCategory.DONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTicket:
    """A ticket that is like the one at hand."""

    id: TicketId
    number: int
    subject: str
    status: TicketStatus
    created_at: datetime
    category: CategoryId | None
    team: TeamId | None
    language: str
    resolution: str  # the agents' last words in it, if it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something that most similar tickets have in common."""

    id: UUID
    votes: int
    of: int  # similar tickets that have anything there


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What tickets like one suggest about it; a person decides."""

    by_vectors: bool  # else by words
    similar: Sequence[SimilarTicket]  # the nearest first
    answered: Sequence[SimilarTicket]  # those that are done, with an answer of an agent
    category: Suggestion | None
    team: Suggestion | None


async def suggestions_for(
    session: AsyncSession, ticket_id: TicketId, tree: CategoryTree, sight: Sight | None = None
) -> Suggestions:
    """Return what earlier tickets that `sight` holds suggest, from what is kept of them."""
    own = (
        await session.execute(
            select(
                Ticket.category_id,
                Ticket.team_id,
                TicketVector.ticket_id,
                TicketVector.vector,
                TicketVector.vector_model,
            )
            .outerjoin(TicketVector, TicketVector.ticket_id == Ticket.id)
            .where(Ticket.id == ticket_id)
        )
    ).one()
    near: Sequence[UUID] = ()
    if own.vector is not None:
        near = await _by_vector(session, ticket_id, own.vector, own.vector_model)
    by_vectors = bool(near)
    if own.ticket_id is not None and not near:
        near = await _by_words(session, ticket_id)
    found = await _tickets(session, near, sight)
    choosable = {one.id for one in tree.choosable()}
    category = _vote([one.category for one in found if one.category in choosable], own.category_id)
    team = _vote([one.team for one in found if one.team is not None], own.team_id)
    return Suggestions(
        by_vectors=by_vectors,
        similar=found[:_SHOWN],
        answered=[one for one in found if one.resolution][:_SHOWN],
        category=category,
        team=team,
    )


async def _by_vector(
    session: AsyncSession, ticket: TicketId, vector: Any, model: str
) -> Sequence[UUID]:
    distance = TicketVector.vector.op("<=>", return_type=Float())(
        cast(literal(str(vector), Text()), HalfVector())
    )
    rows = await session.execute(
        select(TicketVector.ticket_id, distance.label("distance"))
        .where(TicketVector.vector_model == model)
        .order_by(distance)
        .limit(_LOOKED_AT + 1)
    )
    return [row.ticket_id for row in rows if row.ticket_id != ticket and row.distance <= 1 - _NEAR]


_BY_WORDS = text(
    """
    WITH own AS (
        SELECT words, string_agg(quote_literal(lexeme), ' | ')::tsquery AS wanted
        FROM ticket_vector, unnest(words) WHERE ticket_id = :ticket GROUP BY words
    ), common AS (
        SELECT lexeme, share
        FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs)
             AS known (lexeme, share)
        WHERE schemaname = current_schema() AND tablename = 'ticket_vector' AND attname = 'words'
    ), word AS (
        SELECT one.lexeme, sum(coalesce(share, 0)) OVER (ORDER BY coalesce(share, 0), one.lexeme)
               * (SELECT reltuples FROM pg_class WHERE oid = 'ticket_vector'::regclass) AS tickets
        FROM own, unnest(words) AS one LEFT JOIN common ON common.lexeme = one.lexeme
    ), telling AS (
        SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery AS rare
        FROM word WHERE tickets <= :most_tickets
    ), found AS (
        SELECT ticket_id, ts_rank(ticket_vector.words, wanted) AS rank,
               ts_rank(own.words, wanted) AS most
        FROM own CROSS JOIN telling JOIN ticket_vector ON ticket_vector.words @@ rare
        WHERE ticket_id <> :ticket
        ORDER BY rank DESC, ticket_id DESC LIMIT :limit
    )
    SELECT ticket_id FROM found WHERE rank >= :common * most ORDER BY rank DESC, ticket_id DESC
    """
)
# Any of its words: "and" would find copies alone. Of the rare ones, by what the database keeps of
# the commonest stems: a usual word leads to half of all tickets, but counts beside a rare one.


async def _by_words(session: AsyncSession, ticket: TicketId) -> Sequence[UUID]:
    values = {
        "ticket": ticket,
        "limit": _LOOKED_AT,
        "common": _COMMON,
        "most_tickets": _MOST_TICKETS,
    }
    return (await session.scalars(_BY_WORDS, values)).all()


async def _tickets(
    session: AsyncSession, ids: Sequence[UUID], sight: Sight | None
) -> list[SimilarTicket]:
    if not ids:
        return []
    rows = await session.execute(
        select(Ticket, LAST_ANSWER.label("last")).where(
            Ticket.id.in_(ids),
            Ticket.closed_as.is_distinct_from(ClosedAs.SPAM),
            true() if sight is None else sight.holds(),
        )
    )
    found = {
        ticket.id: SimilarTicket(
            id=TicketId(ticket.id),
            number=ticket.number,
            subject=ticket.subject,
            status=TicketStatus(ticket.status),
            created_at=ticket.created_at,
            language=ticket.language,
            category=None if ticket.category_id is None else CategoryId(ticket.category_id),
            team=None if ticket.team_id is None else TeamId(ticket.team_id),
            resolution=(words or "")[:_RESOLUTION_CHARS] if ticket.status in _DONE else "",
        )
        for ticket, words in rows
    }
    return [found[one] for one in ids if one in found]


def _vote(given: Sequence[UUID | None], now: UUID | None) -> Suggestion | None:
    voters = [one for one in given if one is not None][:_VOTERS]
    if not voters:
        return None
    ((winner, votes),) = Counter(voters).most_common(1)
    if votes < _FEWEST_VOTES or votes * 2 <= len(voters) or winner == now:
        return None
    return Suggestion(id=winner, votes=votes, of=len(voters))
