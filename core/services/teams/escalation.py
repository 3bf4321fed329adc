"""Sends tickets on: to the next level, to a team's lead or to another team, by hand and by time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Exists, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.conversation import Cause, Responder
from core.domain.errors import IllegalTransition, InvalidInput
from core.domain.ids import AgentId, TeamId, TicketId
from core.domain.setbacks import Chore
from core.domain.teams import Onward, Presence, level_that_serves
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.revisions import check_version
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.teams.teams import OPEN, load_of_agent, presence_at
from core.storage.tables import (
    AgentPresence,
    AgentRow,
    Team,
    TeamEscalation,
    TeamMember,
    Ticket,
    TicketEvent,
    TicketRouting,
)

UNTOUCHED, UNSOLVED = "untouched", "unsolved"
"""Reasons of what goes on by itself."""

STUCK = "stuck"
"""Field of the history: a ticket's time was up, and there was nobody that it could go on to."""

_MAX_REASON_CHARS = 500
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    team: Team
    level: int


class Escalations:
    """Sends tickets on. What was done, by whom and why is in the ticket's history."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.ESCALATION, now)

    async def escalate(
        self,
        ticket: TicketId,
        onward: Onward | TeamId,
        reason: str,
        by: Agent,
        *,
        version: int | None = None,
    ) -> None:
        """Send a ticket on, for a reason.

        Raises:
            InvalidInput: there is no reason, or nobody that it could go on to.
            IllegalTransition: it is solved or closed.
            Outdated: it is not at `version` any more.
        """
        words = " ".join(reason.split())
        if not words or "\x00" in words:
            raise InvalidInput("say why it goes on")
        if len(words) > _MAX_REASON_CHARS:
            raise InvalidInput("a reason has 500 characters at most")
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            check_version(case.ticket, version)
            await send_on(case, onward, actor=by.actor, reason=words)
            case.changed()
            await case.ledger.write(session)

    async def escalate_due(self) -> int:
        """Send on what nobody touched or solved in the time that its team sets."""
        async with storage_errors(), self._sessions() as session:
            due = await self._due(session)
        await self._setbacks.each(due.items(), self._send_if_due, lambda one: one[0])
        return len(due)

    async def _send_if_due(self, found: tuple[TicketId, datetime]) -> None:
        ticket, since = found
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now(), depth=1)
            case = await open_case(session, ledger, ticket)
            row = await session.get(TicketRouting, ticket)
            if row is None or row.at_level_since != since or case.ticket.status not in OPEN:
                return
            touched = await session.scalar(select(_agent_wrote(ticket, since)))
            await self._send_due(case, row, UNSOLVED if touched else UNTOUCHED)
            case.changed()
            await case.ledger.write(session)

    async def _send_due(self, case: Case, row: TicketRouting, reason: str) -> None:
        """Send a ticket on to where its team sets; where that is nobody, its history says so."""
        ticket = case.ticket
        times = await case.session.get(TeamEscalation, (ticket.team_id, ticket.level))
        onward = Onward.NEXT if times is None else Onward(times.onward)
        if onward is Onward.LEAD:
            row.at_level_since = None  # a lead has it then: it goes on to no other
        try:
            await send_on(case, onward, actor="timer", reason=reason)
        except InvalidInput:
            row.at_level_since = None  # there is nowhere to go: it is not looked at again
            case.ledger.record(ticket, STUCK, None, None, actor="timer", reason=reason)

    async def _due(self, session: AsyncSession) -> dict[TicketId, datetime]:
        now = self._now()
        since = TicketRouting.at_level_since
        rows = await session.execute(
            select(Ticket.id, since)
            .join(TicketRouting, TicketRouting.ticket_id == Ticket.id)
            .join(
                TeamEscalation,
                and_(
                    TeamEscalation.team_id == Ticket.team_id,
                    TeamEscalation.level == Ticket.level,
                ),
            )
            .where(
                since.is_not(None),
                self._setbacks.is_free(Ticket.id),
                Ticket.status.in_(OPEN),
                or_(
                    since + _minutes(TeamEscalation.unsolved_minutes) < now,
                    and_(
                        since + _minutes(TeamEscalation.untouched_minutes) < now,
                        ~_agent_wrote(Ticket.id, since),
                    ),
                ),
            )
            .order_by(since)
            .limit(_AT_ONCE)
        )
        return {TicketId(ticket): at for ticket, at in rows if at is not None}


async def send_on(case: Case, onward: Onward | TeamId, *, actor: str, reason: str) -> None:
    """Send the locked ticket of `case` on.

    Raises:
        InvalidInput: there is nobody that it could go on to.
        IllegalTransition: it is solved or closed.
    """
    if case.is_done:
        raise IllegalTransition("ticket", case.ticket.status, "escalate")
    if onward is Onward.LEAD:
        await _to_lead(case, actor, reason)
        return
    target = await _next(case) if onward is Onward.NEXT else await _first_of(case, onward)
    if target is None:
        raise InvalidInput("there is nobody that this ticket could go on to")
    _send(case, target, actor, reason)


async def _to_lead(case: Case, actor: str, reason: str) -> None:
    ticket = case.ticket
    if ticket.team_id is None:
        raise InvalidInput("this ticket is in no team")
    presence = presence_at(case.ledger.now)
    lead = (
        await case.session.execute(
            select(AgentRow.id, AgentRow.name)
            .join(TeamMember, TeamMember.agent_id == AgentRow.id)
            .outerjoin(AgentPresence, AgentPresence.agent_id == AgentRow.id)
            .where(
                TeamMember.team_id == ticket.team_id,
                TeamMember.is_lead,
                AgentRow.disabled_at.is_(None),
                AgentRow.id != ticket.assignee_id
                if ticket.assignee_id is not None
                else AgentRow.id.is_not(None),
            )
            .order_by((presence == Presence.ONLINE.value).desc(), load_of_agent(), AgentRow.id)
            .limit(1)
        )
    ).first()
    if lead is None:
        raise InvalidInput("this team has no lead that the ticket could go to")
    case.ledger.record(ticket, "escalated", None, lead.name, actor=actor, reason=reason)
    case.hand_to(AgentId(lead.id), actor=actor)
    if ticket.status == TicketStatus.NEW:
        case.move(TicketTrigger.AGENT_TOOK, actor=actor)
    if case.conversation.responder == Responder.QUEUED:
        case.turn_over(Cause.AGENT_TOOK)


def _send(case: Case, target: _Target, actor: str, reason: str) -> None:
    ticket = case.ticket
    name = f"{target.team.name} {target.level}"
    case.ledger.record(ticket, "escalated", None, name, actor=actor, reason=reason)
    if ticket.assignee_id is not None:
        case.release(actor=actor)
    case.pass_to(TeamId(target.team.id), actor=actor)
    case.put_at(target.level, actor=actor)


async def _next(case: Case) -> _Target | None:
    ticket = case.ticket
    if ticket.team_id is None:
        return None
    team = await case.session.get_one(Team, ticket.team_id)
    levels = await _levels(case.session, team)
    above = [level for level in levels if level > ticket.level]
    if above:
        return _Target(team=team, level=min(above))
    if team.escalates_to_id is None:
        return None
    onward = await case.session.get_one(Team, team.escalates_to_id)
    if onward.archived_at is not None:
        return None
    first = level_that_serves(await _levels(case.session, onward), 1)
    return _Target(team=onward, level=first or 1)


async def _first_of(case: Case, team: TeamId) -> _Target:
    row = await case.session.get(Team, team)
    if row is None or row.archived_at is not None:
        raise InvalidInput("there is no such team")
    if row.id == case.ticket.team_id:
        raise InvalidInput("this ticket is in that team already")
    return _Target(team=row, level=level_that_serves(await _levels(case.session, row), 1) or 1)


async def _levels(session: AsyncSession, team: Team) -> set[int]:
    return set(
        await session.scalars(
            select(TeamMember.level)
            .join(AgentRow, AgentRow.id == TeamMember.agent_id)
            .where(TeamMember.team_id == team.id, AgentRow.disabled_at.is_(None))
        )
    )


def _minutes(column: Any) -> Any:
    return func.make_interval(0, 0, 0, 0, 0, column)


def _agent_wrote(ticket: Any, since: Any) -> Exists:
    """Return the condition that an agent wrote in `ticket` after `since`, to whomever."""
    return exists().where(
        TicketEvent.ticket_id == ticket,
        TicketEvent.field == "message",
        TicketEvent.reason.in_(("agent", "note")),
        TicketEvent.at >= since,
    )
