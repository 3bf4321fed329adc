"""Reads what requesters said about how they were helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AgentId, CategoryId, ContactId, ConversationId, TeamId, TicketId
from core.storage.queries.access.sight import Sight
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import AgentRow, Category, Conversation, Satisfaction, Team, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One answer, with whom it is about: a ticket, or a conversation that had none."""

    id: UUID
    ticket: TicketId | None
    number: int | None
    conversation: ConversationId | None  # that the assistant finished alone
    score: int
    comment: str
    agent: Named | None  # who solved it, as it was then
    team: Named | None
    category: Named | None
    channel: str | None
    language: str | None  # of the ticket or the conversation
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFilter:
    """Which answers are wanted; an empty filter wants all."""

    min_score: int = 1
    max_score: int = 5
    requester: ContactId | None = None
    agent: AgentId | None = None
    team: TeamId | None = None
    categories: Sequence[CategoryId] | None = None  # any of these
    channel: str | None = None
    language: str | None = None
    of_assistant: bool | None = None  # those about the assistant alone; the others alone
    since: datetime | None = None  # answered then or later
    until: datetime | None = None  # not included
    sight: Sight | None = None


async def answers(
    session: AsyncSession, wanted: AnswerFilter, *, before: UUID | None = None, limit: int = 50
) -> Sequence[AnswerView]:
    """Return answers that fit, those asked last first."""
    query = _answers().where(Satisfaction.score.between(wanted.min_score, wanted.max_score))
    for column, value in (
        (Satisfaction.contact_id, wanted.requester),
        (Satisfaction.agent_id, wanted.agent),
        (Satisfaction.team_id, wanted.team),
        (Satisfaction.channel, wanted.channel),
        (_LANGUAGE, wanted.language),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.of_assistant is not None:
        query = query.where(Satisfaction.conversation_id.is_not(None) == wanted.of_assistant)
    if wanted.categories is not None:
        query = query.where(Satisfaction.category_id.in_(wanted.categories))
    if wanted.since is not None:
        query = query.where(Satisfaction.answered_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Satisfaction.answered_at < wanted.until)
    if wanted.sight is not None:
        query = query.where(_is_seen(wanted.sight))
    if before is not None:
        query = query.where(Satisfaction.id < before)
    rows = await session.execute(query.order_by(Satisfaction.id.desc()).limit(limit))
    return [_view(*row) for row in rows]


async def answer_of(session: AsyncSession, ticket: TicketId) -> AnswerView | None:
    """Return the latest answer about a ticket."""
    row = (
        await session.execute(
            _answers()
            .where(Satisfaction.ticket_id == ticket, Satisfaction.score.is_not(None))
            .order_by(Satisfaction.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else _view(*row)


_LANGUAGE = func.coalesce(Ticket.language, Conversation.language)


def _is_seen(sight: Sight) -> ColumnElement[bool]:
    """Return the condition that `sight` reaches what an answer is about."""
    return or_(
        and_(Satisfaction.ticket_id.is_not(None), sight.holds()),
        and_(Satisfaction.conversation_id.is_not(None), sight.holds_conversation()),
    )


def _answers() -> Select[Satisfaction, int, str, str, str, str]:
    return (
        select(
            Satisfaction,
            Ticket.number,
            _LANGUAGE,
            AgentRow.name,
            Team.name,
            Category.name,
        )
        .outerjoin(Ticket, Ticket.id == Satisfaction.ticket_id)
        .outerjoin(Conversation, Conversation.id == Satisfaction.conversation_id)
        .outerjoin(AgentRow, AgentRow.id == Satisfaction.agent_id)
        .outerjoin(Team, Team.id == Satisfaction.team_id)
        .outerjoin(Category, Category.id == Satisfaction.category_id)
    )


def _view(
    row: Satisfaction,
    number: int | None,
    language: str | None,
    agent: str | None,
    team: str | None,
    category: str | None,
) -> AnswerView:
    return AnswerView(
        id=row.id,
        ticket=None if row.ticket_id is None else TicketId(row.ticket_id),
        number=number,
        conversation=None if row.conversation_id is None else ConversationId(row.conversation_id),
        score=row.score or 0,
        comment=row.comment,
        agent=_named(row.agent_id, agent),
        team=_named(row.team_id, team),
        category=_named(row.category_id, category),
        channel=row.channel,
        language=language,
        answered_at=row.answered_at or row.created_at,
    )


def _named(key: UUID | None, name: str | None) -> Named | None:
    return None if key is None or name is None else Named(id=key, name=name)
