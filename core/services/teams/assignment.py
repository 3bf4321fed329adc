"""Gives waiting tickets to agents who are there and have room: each once, nobody too many.

One sharing-out runs at a time, over all processes: it holds an advisory lock from before it reads
who has room until its commit. Conversations are locked without waiting; one that is being worked
on right now is left for the next time, so that no order of locks has to be kept between many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assignment import share_out
from core.domain.conversation import Cause, Responder
from core.domain.ids import AgentId, TicketId
from core.domain.setbacks import Chore
from core.domain.teams import Strategy
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services.case import Case
from core.services.ledger import Accounts, Ledger
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.teams.assignment import Found, Patience, deserted, floor, wanting
from core.storage.queries.teams.teams import OPEN, assignment_policy
from core.storage.tables import Conversation, Team, TeamMember, Ticket, TicketRouting

ACTOR = "reactor:assignment"
OFFERED_AGAIN = "offered_again"
_LOCK = 0x73_68_61_72_65  # "share"
_AT_ONCE = 100
_LOOK_FOR_DESERTED = timedelta(seconds=15)


class Assignment:
    """Shares out what wants an agent."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.SHARING, now)
        self._is_busy = False
        self._again = False
        self._looked_for_deserted: datetime | None = None

    async def fill(self) -> int:
        """Give away all that can be given; return how many tickets were.

        While this process does so already it only notes that there is more, and returns.
        """
        self._again = True
        if self._is_busy:
            return 0
        self._is_busy = True
        given = 0
        try:
            while self._again:
                self._again = False
                count = await self._share(with_deserted=False)
                self._again = self._again or count >= _AT_ONCE
                given += count
        finally:
            self._is_busy = False
        return given

    async def fill_due(self) -> int:
        """Do the same; now and then, look also at what waits for agents who are not there."""
        given = await self.fill()
        last = self._looked_for_deserted
        if last is None or self._now() - last >= _LOOK_FOR_DESERTED:
            self._looked_for_deserted = self._now()
            while (count := await self._share(with_deserted=True)) >= _AT_ONCE:
                given += count
            given += count
        return given

    async def _share(self, *, with_deserted: bool) -> int:
        share = partial(self._share_some, with_deserted=with_deserted)
        return await self._setbacks.drawn(share, _AT_ONCE)

    async def _share_some(self, at_once: int, drawn: list[UUID], *, with_deserted: bool) -> int:
        async with storage_errors(), self._sessions.begin() as session:
            if not with_deserted and not await _anything_wanted(session):
                return 0
            await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            now = self._now()
            there = await floor(session, now)
            teams = list(there.teams)
            if not there.candidates or not teams:
                return 0
            free = self._setbacks.is_free(Ticket.id)
            found = list(await wanting(session, teams, free))
            if with_deserted:
                patience = Patience.of(await assignment_policy(session))
                found += await deserted(session, teams, now, patience, free)
            by_ticket = {each.vacancy.ticket: each for each in found}
            shared = share_out(
                (each.vacancy for each in found), there.candidates, there.places, there.teams
            )
            plan = [(by_ticket[vacancy.ticket], agent) for vacancy, agent in shared[:at_once]]
            drawn += [found.vacancy.ticket for found, _ in plan]
            if not plan:
                return 0
            return await self._give(session, plan)

    async def _give(self, session: AsyncSession, plan: Sequence[tuple[Found, AgentId]]) -> int:
        cases = await self._open(session, [found for found, _ in plan])
        given: list[UUID] = []
        receivers: list[dict[str, UUID]] = []
        for found, agent in plan:
            case = cases.get(found.vacancy.ticket)
            if case is None or not _is_as_found(case, found):
                continue
            ticket = case.ticket
            reason = None if found.holder is None else OFFERED_AGAIN
            case.hand_to(agent, actor=ACTOR, reason=reason)
            if ticket.status == TicketStatus.NEW:
                case.move(TicketTrigger.AGENT_TOOK, actor=ACTOR)
            if case.conversation.responder == Responder.QUEUED:
                case.turn_over(Cause.AGENT_TOOK)
            case.changed()
            given.append(ticket.id)
            receivers.append({"team": found.vacancy.team, "agent": agent})
        if given:
            await session.execute(
                update(TicketRouting)
                .where(TicketRouting.ticket_id.in_(given))
                .values(wanting_since=None)
            )
            # `clock_timestamp`, not the transaction's: who was given one later comes later.
            connection = await session.connection()
            await connection.execute(
                update(TeamMember)
                .where(
                    TeamMember.team_id == bindparam("team"),
                    TeamMember.agent_id == bindparam("agent"),
                )
                .values(last_given_at=func.clock_timestamp()),
                receivers,
            )
            await next(iter(cases.values())).ledger.write(session)
        return len(given)

    async def _open(self, session: AsyncSession, plan: Sequence[Found]) -> dict[TicketId, Case]:
        """Lock the conversations that nobody else has locked, and their tickets."""
        conversations = await session.scalars(
            select(Conversation)
            .where(Conversation.id.in_([found.conversation for found in plan]))
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        locked = {row.id: row for row in conversations}
        if not locked:
            return {}
        wanted = [found.vacancy.ticket for found in plan if found.conversation in locked]
        tickets = await session.scalars(
            select(Ticket)
            .where(Ticket.id.in_(wanted))
            .order_by(Ticket.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        ledger = Ledger(self._accounts, self._now(), depth=1)
        return {
            TicketId(row.id): Case(session, ledger, locked[row.conversation_id], row)
            for row in tickets
        }


async def _anything_wanted(session: AsyncSession) -> bool:
    wanted = await session.scalar(
        select(TicketRouting.ticket_id)
        .join(Ticket, Ticket.id == TicketRouting.ticket_id)
        .join(Team, Team.id == Ticket.team_id)
        .where(TicketRouting.wanting_since.is_not(None), Team.strategy != Strategy.MANUAL)
        .limit(1)
    )
    return wanted is not None


def _is_as_found(case: Case, found: Found) -> bool:
    """Say whether nothing has changed since the ticket was found that matters here."""
    ticket = case.ticket
    return (
        ticket.assignee_id == found.holder
        and ticket.team_id == found.vacancy.team
        and ticket.level == found.vacancy.level
        and ticket.status in OPEN
    )
