"""Reads what requesters said about how they were helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.storage.queries.sight import Sight
from core.storage.tables import AgentRow, Satisfaction, Team, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One answer, with whom it is about."""

    id: UUID
    ticket: TicketId
    number: int
    score: int
    comment: str
    agent: str | None
    team: str | None
    channel: str | None
    answered_at: datetime


async def answers(
    session: AsyncSession,
    *,
    before: UUID | None = None,
    max_score: int = 5,
    sight: Sight | None = None,
    limit: int = 50,
) -> Sequence[AnswerView]:
    """Return answers with at most `max_score` that `sight` holds, those asked last first."""
    query = _answers().where(Satisfaction.score <= max_score)
    if sight is not None:
        query = query.where(sight.holds())
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


def _answers() -> Select[Satisfaction, int, str, str]:
    return (
        select(Satisfaction, Ticket.number, AgentRow.name, Team.name)
        .join(Ticket, Ticket.id == Satisfaction.ticket_id)
        .outerjoin(AgentRow, AgentRow.id == Satisfaction.agent_id)
        .outerjoin(Team, Team.id == Satisfaction.team_id)
    )


def _view(row: Satisfaction, number: int, agent: str | None, team: str | None) -> AnswerView:
    return AnswerView(
        id=row.id,
        ticket=TicketId(row.ticket_id),
        number=number,
        score=row.score or 0,
        comment=row.comment,
        agent=agent,
        team=team,
        channel=row.channel,
        answered_at=row.answered_at or row.created_at,
    )
