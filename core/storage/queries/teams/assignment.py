"""Reads what is to be shared out: tickets that want somebody, and agents who are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.actor import Role
from core.domain.assignment import Candidate, Place, TeamRules, Vacancy
from core.domain.conversation import Speaker
from core.domain.ids import AgentId, ConversationId, TeamId, TicketId
from core.domain.routing import LanguageNeed
from core.domain.teams import SILENCE, Presence, Strategy
from core.domain.ticket import RANK
from core.storage.queries.teams.teams import OPEN, UNDONE, load_of_agent, presence_at
from core.storage.tables import (
    AgentPresence,
    AgentRow,
    AssignmentPolicy,
    Message,
    SlaClock,
    Team,
    TeamMember,
    Ticket,
    TicketRouting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A vacancy, where it is, and who has the ticket now, if anybody."""

    vacancy: Vacancy
    conversation: ConversationId
    holder: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long tickets wait for an agent who is not there; none: for ever."""

    unanswered: timedelta | None  # where the requester spoke last
    unfinished: timedelta | None  # whoever did

    @classmethod
    def of(cls, policy: AssignmentPolicy) -> Patience:
        """Return it as `policy` has it."""
        return cls(
            unanswered=_minutes(policy.offer_again_minutes),
            unfinished=_minutes(policy.unfinished_minutes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Who is there to be given tickets of teams that share them out."""

    candidates: Sequence[Candidate]
    places: Sequence[Place]
    teams: Mapping[TeamId, TeamRules]


async def floor(session: AsyncSession, now: datetime) -> Floor:
    """Return agents who are online and have room, and the teams they are in."""
    rows = await session.execute(
        select(AgentRow, load_of_agent())
        .join(AgentPresence, AgentPresence.agent_id == AgentRow.id)
        .where(presence_at(now) == Presence.ONLINE.value)
    )
    candidates = [
        Candidate(
            id=AgentId(agent.id),
            room=agent.capacity - load,
            load=load,
            languages=frozenset(agent.languages),
            skills=frozenset(agent.skills),
        )
        for agent, load in rows
        if agent.capacity > load
    ]
    if not candidates:
        return Floor(candidates=(), places=(), teams={})
    members = await session.execute(
        select(TeamMember, Team.strategy)
        .join(Team, Team.id == TeamMember.team_id)
        .join(AgentRow, AgentRow.id == TeamMember.agent_id)
        .where(Team.strategy != Strategy.MANUAL, AgentRow.disabled_at.is_(None))
    )
    free = {candidate.id for candidate in candidates}
    places: list[Place] = []
    levels: dict[TeamId, set[int]] = {}
    strategies: dict[TeamId, Strategy] = {}
    for member, strategy in members:
        team = TeamId(member.team_id)
        levels.setdefault(team, set()).add(member.level)
        strategies[team] = Strategy(strategy)
        if member.agent_id in free:
            places.append(
                Place(
                    agent=AgentId(member.agent_id),
                    team=team,
                    level=member.level,
                    last_given=member.last_given_at,
                )
            )
    teams = {
        team: TeamRules(strategy=strategies[team], levels=frozenset(held))
        for team, held in levels.items()
    }
    return Floor(candidates=candidates, places=places, teams=teams)


async def wanting(
    session: AsyncSession, teams: Sequence[TeamId], is_free: ColumnElement[bool]
) -> Sequence[Found]:
    """Return the tickets of `teams` that want an agent, the most urgent first.

    Looked for are those for which `is_free` holds.
    """
    rows = await session.execute(
        _vacancies().where(
            TicketRouting.wanting_since.is_not(None),
            Ticket.assignee_id.is_(None),
            Ticket.status.in_(OPEN),
            Ticket.team_id.in_(teams),
            is_free,
        )
    )
    return [_found(row) for row in rows]


async def deserted(
    session: AsyncSession,
    teams: Sequence[TeamId],
    now: datetime,
    patience: Patience,
    is_free: ColumnElement[bool],
) -> Sequence[Found]:
    """Return the tickets of `teams` that wait too long for an agent who is not there.

    Looked for are those for which `is_free` holds.
    """
    rows = await session.execute(
        _vacancies()
        .join(AgentRow, AgentRow.id == Ticket.assignee_id)
        .outerjoin(AgentPresence, AgentPresence.agent_id == AgentRow.id)
        .where(Ticket.team_id.in_(teams), _is_deserted(now, patience), is_free)
    )
    return [_found(row) for row in rows]


async def left_by_hand(
    session: AsyncSession,
    now: datetime,
    patience: Patience,
    limit: int,
    is_free: ColumnElement[bool],
) -> Sequence[tuple[TicketId, AgentId]]:
    """Return the tickets, each with its agent, that others are to take who are there.

    They wait too long for an agent who is not there, in a team that takes by hand or in none, and
    somebody else of that team is online; of no team, anybody. Looked for are those for which
    `is_free` holds.
    """
    other, there = aliased(AgentRow), aliased(AgentPresence)
    somebody = (
        select(other.id)
        .join(there, there.agent_id == other.id)
        .outerjoin(
            TeamMember,
            (TeamMember.agent_id == other.id) & (TeamMember.team_id == Ticket.team_id),
        )
        .where(
            other.id != Ticket.assignee_id,
            other.disabled_at.is_(None),
            other.role != Role.AUDITOR,
            there.seen_at >= now - SILENCE,
            there.chosen == Presence.ONLINE,
            or_(Ticket.team_id.is_(None), TeamMember.agent_id.is_not(None)),
        )
        .correlate(Ticket)
    )
    rows = await session.execute(
        select(Ticket.id, Ticket.assignee_id)
        .join(AgentRow, AgentRow.id == Ticket.assignee_id)
        .outerjoin(AgentPresence, AgentPresence.agent_id == AgentRow.id)
        .outerjoin(Team, Team.id == Ticket.team_id)
        .where(
            or_(Team.id.is_(None), Team.strategy == Strategy.MANUAL),
            _is_deserted(now, patience),
            somebody.exists(),
            is_free,
        )
        .order_by(Ticket.id)
        .limit(limit)
    )
    return [(TicketId(ticket), AgentId(agent)) for ticket, agent in rows if agent is not None]


async def orphaned(
    session: AsyncSession, limit: int, is_free: ColumnElement[bool]
) -> Sequence[tuple[TicketId, AgentId]]:
    """Return tickets that are not done, each with its agent, who is disabled.

    Looked for are those for which `is_free` holds.
    """
    disabled = select(AgentRow.id).where(AgentRow.disabled_at.is_not(None))
    rows = await session.execute(
        select(Ticket.id, Ticket.assignee_id)
        .where(Ticket.status.in_(UNDONE), Ticket.assignee_id.in_(disabled), is_free)
        .order_by(Ticket.id)
        .limit(limit)
    )
    return [(TicketId(ticket), AgentId(agent)) for ticket, agent in rows if agent is not None]


def _is_deserted(now: datetime, patience: Patience) -> ColumnElement[bool]:
    """Return the condition that a ticket waits too long for its agent, who is not there.

    Where the requester spoke last, they wait since then. Where the agent did, the ticket waits
    since then or since the agent was last there, whichever is later.
    """
    last = (
        select(Message.speaker, Message.created_at)
        .where(
            Message.conversation_id == Ticket.conversation_id,
            Message.speaker.in_((Speaker.CUSTOMER, Speaker.AGENT)),
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .correlate(Ticket)
        .subquery("last")
    )
    waits: list[ColumnElement[bool]] = []
    if patience.unanswered is not None:
        waits.append(
            select(last.c.speaker)
            .where(
                last.c.speaker == Speaker.CUSTOMER, last.c.created_at < now - patience.unanswered
            )
            .exists()
        )
    if patience.unfinished is not None:
        since = now - patience.unfinished
        was_there = func.coalesce(AgentPresence.seen_at, AgentPresence.left_at)
        waits.append(
            and_(
                func.coalesce(was_there, AgentRow.created_at) < since,
                ~select(last.c.speaker).where(last.c.created_at >= since).exists(),
                Ticket.created_at < since,
            )
        )
    return and_(
        Ticket.status.in_(OPEN),
        presence_at(now) == Presence.OFFLINE.value,
        or_(false(), *waits),
    )


def _vacancies() -> Select[Any]:
    """Return the query of vacancies in the queue's order: priority, what is promised, waiting."""
    rank: ColumnElement[int] = case(
        {priority.value: value for priority, value in RANK.items()}, value=Ticket.priority, else_=0
    )
    promised = (
        select(func.min(SlaClock.due_at))
        .where(SlaClock.ticket_id == Ticket.id, SlaClock.met_at.is_(None))
        .correlate(Ticket)
        .scalar_subquery()
    )
    waiting = func.coalesce(TicketRouting.wanting_since, Ticket.created_at)
    return (
        select(
            Ticket.id,
            Ticket.team_id,
            Ticket.level,
            Ticket.language,
            Ticket.conversation_id,
            Ticket.assignee_id,
            TicketRouting.language.label("need"),
            TicketRouting.skills,
            TicketRouting.skills_required,
            TicketRouting.passed_over,
        )
        .join(TicketRouting, TicketRouting.ticket_id == Ticket.id)
        .order_by(rank.desc(), promised.asc().nulls_last(), waiting, Ticket.id)
    )


def _found(row: Any) -> Found:
    passed_over = {AgentId(UUID(agent)) for agent in row.passed_over}
    if row.assignee_id is not None:
        passed_over.add(AgentId(row.assignee_id))
    return Found(
        vacancy=Vacancy(
            ticket=TicketId(row.id),
            team=TeamId(row.team_id),
            level=row.level,
            language=row.language,
            language_need=LanguageNeed(row.need),
            skills=frozenset(row.skills),
            skills_required=row.skills_required,
            passed_over=frozenset(passed_over),
        ),
        conversation=ConversationId(row.conversation_id),
        holder=None if row.assignee_id is None else AgentId(row.assignee_id),
    )


def _minutes(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)
