"""Reads teams, who is in them, and whether those are there and have room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, case, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
from core.domain.errors import NotFound
from core.domain.ids import AgentId, TeamId
from core.domain.teams import SILENCE, Onward, Presence, Strategy, Visibility
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.storage.queries.by_name import from_row
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import (
    AgentPresence,
    AgentRow,
    AssignmentPolicy,
    Team,
    TeamEscalation,
    TeamMember,
    Ticket,
)

OPEN = tuple(s for s in TicketStatus if CATEGORY[s] == StatusCategory.OPEN)
"""Statuses of tickets that count for an agent's load: those that wait for us."""

UNDONE = tuple(s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE)
"""Statuses of tickets that somebody has still to do with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewView:
    """An agent as they are given work."""

    id: AgentId
    name: str
    email: str
    role: Role
    skills: Sequence[str]
    languages: Sequence[str]
    capacity: int
    presence: Presence
    chosen: Presence  # what they said of themselves
    load: int  # open tickets they have
    teams: Sequence[Named]
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """An agent's place in a team."""

    agent: CrewView
    level: int
    is_lead: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PatienceView:
    """How long a team's tickets of one level wait until they go on."""

    level: int
    untouched_minutes: int | None
    unsolved_minutes: int | None
    onward: Onward


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """A team with its members."""

    id: TeamId
    name: str
    description: str
    strategy: Strategy
    visibility: Visibility
    escalates_to: Named | None
    is_archived: bool
    created_at: datetime
    members: Sequence[MemberView]
    patience: Sequence[PatienceView]
    open_tickets: int
    waiting_tickets: int  # of these, nobody has
    revision: int

    def is_led_by(self, agent: AgentId) -> bool:
        """Say whether `agent` is one of its leads."""
        return any(m.is_lead and m.agent.id == agent for m in self.members)


def presence_at(now: datetime) -> ColumnElement[str]:
    """Return the column that says whether an agent, outer-joined to `AgentPresence`, is there."""
    return case(
        (
            or_(
                AgentPresence.seen_at.is_(None),
                AgentPresence.seen_at < now - SILENCE,
                AgentRow.disabled_at.is_not(None),
            ),
            literal(Presence.OFFLINE.value),
        ),
        else_=AgentPresence.chosen,
    )


def load_of_agent() -> ScalarSelect[int]:
    """Return the column that counts an agent's open tickets."""
    return (
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.assignee_id == AgentRow.id, Ticket.status.in_(OPEN))
        .correlate(AgentRow)
        .scalar_subquery()
    )


async def crew(
    session: AsyncSession,
    now: datetime,
    *,
    with_disabled: bool = False,
    start: UUID | None = None,
    limit: int | None = None,
) -> Sequence[CrewView]:
    """Return agents by name, as they are given work; those who are disabled only if wanted.

    Raises:
        InvalidInput: there is no agent `start`, from whom on they are wanted.
    """
    teams: dict[UUID, list[Named]] = {}
    for agent, team, name in await session.execute(
        select(TeamMember.agent_id, Team.id, Team.name)
        .join(Team, Team.id == TeamMember.team_id)
        .where(Team.archived_at.is_(None))
        .order_by(Team.name)
    ):
        teams.setdefault(agent, []).append(Named(id=team, name=name))
    rows = await session.execute(
        select(
            AgentRow.id,
            AgentRow.name,
            AgentRow.email,
            AgentRow.role,
            AgentRow.skills,
            AgentRow.languages,
            AgentRow.capacity,
            presence_at(now).label("presence"),
            func.coalesce(AgentPresence.chosen, Presence.ONLINE.value).label("chosen"),
            load_of_agent().label("load"),
            AgentRow.disabled_at.is_not(None).label("is_disabled"),
        )
        .outerjoin(AgentPresence, AgentPresence.agent_id == AgentRow.id)
        .where(
            true() if with_disabled else AgentRow.disabled_at.is_(None),
            await from_row(session, AgentRow.name, AgentRow.id, start),
        )
        .order_by(AgentRow.name, AgentRow.id)
        .limit(limit)
    )
    return [
        CrewView(
            id=AgentId(row.id),
            name=row.name,
            email=row.email,
            role=Role(row.role),
            skills=row.skills,
            languages=row.languages,
            capacity=row.capacity,
            presence=Presence(row.presence),
            chosen=Presence(row.chosen),
            load=row.load,
            teams=teams.get(row.id, ()),
            is_disabled=row.is_disabled,
        )
        for row in rows
    ]


async def list_teams(
    session: AsyncSession, now: datetime, *, with_archived: bool = False
) -> Sequence[TeamView]:
    """Return teams by name."""
    query = select(Team).order_by(Team.archived_at.is_not(None), Team.name)
    if not with_archived:
        query = query.where(Team.archived_at.is_(None))
    rows = (await session.scalars(query)).all()
    names = {row.id: row.name for row in await session.execute(select(Team.id, Team.name))}
    known = {agent.id: agent for agent in await crew(session, now)}
    members: dict[UUID, list[MemberView]] = {}
    for member in await session.scalars(select(TeamMember)):
        if (agent := known.get(AgentId(member.agent_id))) is not None:
            members.setdefault(member.team_id, []).append(
                MemberView(agent=agent, level=member.level, is_lead=member.is_lead)
            )
    patience: dict[UUID, list[PatienceView]] = {}
    for time in await session.scalars(select(TeamEscalation).order_by(TeamEscalation.level)):
        patience.setdefault(time.team_id, []).append(
            PatienceView(
                level=time.level,
                untouched_minutes=time.untouched_minutes,
                unsolved_minutes=time.unsolved_minutes,
                onward=Onward(time.onward),
            )
        )
    counts = await _counts(session)
    return [
        TeamView(
            id=TeamId(row.id),
            name=row.name,
            description=row.description,
            strategy=Strategy(row.strategy),
            visibility=Visibility(row.visibility),
            escalates_to=None
            if row.escalates_to_id is None
            else Named(id=row.escalates_to_id, name=names[row.escalates_to_id]),
            is_archived=row.archived_at is not None,
            created_at=row.created_at,
            members=sorted(
                members.get(row.id, ()), key=lambda m: (not m.is_lead, m.level, m.agent.name)
            ),
            patience=patience.get(row.id, ()),
            open_tickets=counts.get(row.id, (0, 0))[0],
            waiting_tickets=counts.get(row.id, (0, 0))[1],
            revision=row.revision,
        )
        for row in rows
    ]


async def team_view(session: AsyncSession, team: TeamId, now: datetime) -> TeamView:
    """Return one team.

    Raises:
        NotFound: there is none.
    """
    for view in await list_teams(session, now, with_archived=True):
        if view.id == team:
            return view
    raise NotFound("there is no such team")


async def team_named(session: AsyncSession, name: str) -> TeamId:
    """Return the team that `name`, its id or what it is called, means.

    Raises:
        NotFound: there is none.
    """
    try:
        condition = Team.id == UUID(name)
    except ValueError:
        condition = func.lower(Team.name) == name.strip().lower()
    found = await session.scalar(select(Team.id).where(condition))
    if found is None:
        raise NotFound("there is no such team")
    return TeamId(found)


async def named_teams(
    session: AsyncSession, agent: AgentId, besides: TeamId | None = None
) -> Sequence[Named]:
    """Return the teams that an agent is in, and team `besides`, by name."""
    theirs = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    rows = await session.execute(
        select(Team.id, Team.name)
        .where(
            or_(Team.id.in_(theirs), Team.id == besides)
            if besides is not None
            else Team.id.in_(theirs),
            Team.archived_at.is_(None),
        )
        .order_by(Team.name)
    )
    return [Named(id=row.id, name=row.name) for row in rows]


async def own_presence(session: AsyncSession, agent: AgentId) -> Presence:
    """Return what an agent last said of themselves."""
    chosen = await session.scalar(
        select(AgentPresence.chosen).where(AgentPresence.agent_id == agent)
    )
    return Presence(chosen or Presence.ONLINE)


async def assignment_policy(session: AsyncSession) -> AssignmentPolicy:
    """Return what holds for all teams."""
    return await session.get_one(AssignmentPolicy, 1)


async def _counts(session: AsyncSession) -> Mapping[UUID, tuple[int, int]]:
    waiting: Any = func.count().filter(Ticket.assignee_id.is_(None))
    rows = await session.execute(
        select(Ticket.team_id, func.count(), waiting)
        .where(Ticket.team_id.is_not(None), Ticket.status.in_(OPEN))
        .group_by(Ticket.team_id)
    )
    return {team: (count, unassigned) for team, count, unassigned in rows}
