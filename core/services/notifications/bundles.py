"""Notices of waiting tickets, bundled: many in one queue are one thing to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.ids import AgentId
from core.domain.notification import IN_QUEUE, Notice
from core.storage.queries.access.sight import is_hidden_from
from core.storage.tables import Notification, Team, Ticket

FEWEST = 3
"""So many unread notices of one kind and team become one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Unread notices of one kind about tickets that wait in one team."""

    notice: Notice
    team: UUID | None
    team_name: str | None
    count: int
    at: datetime  # of the latest

    @property
    def holds(self) -> ColumnElement[bool]:
        """The condition that a notice is one of them."""
        return and_(
            Notification.notice == self.notice,
            Notification.read_at.is_(None),
            Ticket.team_id.is_not_distinct_from(self.team),
        )


async def bundles_of(session: AsyncSession, agent: AgentId) -> Sequence[Bundle]:
    """Return what of an agent's unread notices is bundled, the latest first."""
    team = aliased(Team)  # who sees a ticket looks at teams, too
    rows = await session.execute(
        select(
            Notification.notice,
            Ticket.team_id,
            team.name,
            func.count(),
            func.max(Notification.created_at),
        )
        .join(Ticket, Ticket.id == Notification.ticket_id)
        .outerjoin(team, team.id == Ticket.team_id)
        .where(_waiting(agent))
        .group_by(Notification.notice, Ticket.team_id, team.name)
        .having(func.count() >= FEWEST)
        .order_by(func.max(Notification.created_at).desc())
    )
    return [
        Bundle(notice=Notice(notice), team=named, team_name=name, count=count, at=at)
        for notice, named, name, count, at in rows
    ]


async def count_to_look_at(session: AsyncSession, agent: AgentId) -> int:
    """Return how many things an agent has not read: tickets that wait in one queue are one."""
    queue = Notification.notice + ":" + func.coalesce(cast(Ticket.team_id, Text), literal(""))
    waits = Notification.notice.in_(IN_QUEUE)
    row = (
        await session.execute(
            select(func.count().filter(~waits), func.count(queue.distinct()).filter(waits))
            .select_from(Notification)
            .join(Ticket, Ticket.id == Notification.ticket_id)
            .where(
                Notification.agent_id == agent,
                Notification.read_at.is_(None),
                ~is_hidden_from(Notification.agent_id),
            )
        )
    ).one()
    return int(row[0] + row[1])


def besides(bundles: Sequence[Bundle]) -> ColumnElement[bool]:
    """Return the condition that a notice is in none of `bundles`."""
    return ~or_(literal(value=False), *(bundle.holds for bundle in bundles))


def _waiting(agent: AgentId) -> ColumnElement[bool]:
    return and_(
        Notification.agent_id == agent,
        Notification.read_at.is_(None),
        Notification.notice.in_(IN_QUEUE),
        ~is_hidden_from(Notification.agent_id),
    )
