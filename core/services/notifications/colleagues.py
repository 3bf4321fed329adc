"""Which agents a ticket concerns: those who watch it, work its level, or lead its team."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
from core.domain.teams import level_that_serves
from core.storage.queries.access.sight import is_closed
from core.storage.tables import AgentRow, TeamMember


async def leads_of(session: AsyncSession, team: UUID | None) -> Sequence[UUID]:
    """Return the leads of `team`; where it has none, whoever leads or administers
    the desk and sees its tickets."""
    if team is not None:
        found = await session.scalars(
            select(TeamMember.agent_id)
            .join(AgentRow, AgentRow.id == TeamMember.agent_id)
            .where(TeamMember.team_id == team, TeamMember.is_lead, AgentRow.disabled_at.is_(None))
        )
        if leads := found.all():
            return leads
    for role in (Role.LEAD, Role.ADMIN):
        # Leads of other teams do not see what is in a closed one.
        is_theirs = true() if team is None or role == Role.ADMIN else ~is_closed(team)
        found = await session.scalars(
            select(AgentRow.id).where(
                AgentRow.role == role, AgentRow.disabled_at.is_(None), is_theirs
            )
        )
        if leads := found.all():
            return leads
    return ()


async def admins(session: AsyncSession) -> Sequence[UUID]:
    """Return who administers the desk."""
    found = await session.scalars(
        select(AgentRow.id).where(AgentRow.role == Role.ADMIN, AgentRow.disabled_at.is_(None))
    )
    return found.all()


async def queue_agents(
    session: AsyncSession, queues: Collection[tuple[UUID | None, int]]
) -> Mapping[tuple[UUID | None, int], Sequence[UUID]]:
    """Return who takes tickets of each team and level; of no team, whoever is in no team."""
    members: dict[UUID, dict[int, list[UUID]]] = {}
    rows = await session.execute(
        select(TeamMember.team_id, TeamMember.level, TeamMember.agent_id)
        .join(AgentRow, AgentRow.id == TeamMember.agent_id)
        .where(
            TeamMember.team_id.in_({team for team, _ in queues if team is not None}),
            AgentRow.disabled_at.is_(None),
        )
    )
    for team, level, agent in rows:
        members.setdefault(team, {}).setdefault(level, []).append(agent)
    free: Sequence[UUID] = ()
    if any(team is None for team, _ in queues):
        found = await session.scalars(
            select(AgentRow.id).where(
                AgentRow.role.in_((Role.AGENT, Role.LEAD, Role.ADMIN)),
                AgentRow.disabled_at.is_(None),
                AgentRow.id.not_in(select(TeamMember.agent_id)),
            )
        )
        free = found.all()

    def of(team: UUID | None, level: int) -> Sequence[UUID]:
        if team is None:
            return free
        levels = members.get(team, {})
        serving = level_that_serves(levels, level)
        return () if serving is None else levels[serving]

    return {(team, level): of(team, level) for team, level in queues}
