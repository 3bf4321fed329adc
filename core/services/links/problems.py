"""Tells the requesters of all incidents of a problem, each in their own conversation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, select, true

from core.domain.actor import Agent
from core.domain.classification import FieldsMissing, Kind
from core.domain.content import check_words
from core.domain.conversation import Speaker
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, TicketId, new_id
from core.domain.links import LinkKind
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services.case import open_case
from core.services.classification.sorting import check_complete
from core.services.ledger import Accounts, Ledger
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.sight import sight_of
from core.storage.tables import ProblemUpdate, Ticket, TicketLink

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 20


class Problems:
    """Updates of problems: one work item for each incident, so that each is told once."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def update(
        self, problem: TicketId, words: str, by: Agent, *, solves: bool = False
    ) -> int:
        """Have `words` told to every requester of the problem's unfinished incidents.

        Those of teams whose tickets `by` may not see are left out.

        With `solves`, the incidents are solved with it. Returns how many will be told.

        Raises:
            NotFound: there is no such ticket.
            InvalidInput: it is no problem, or there is nothing to tell.
        """
        check_words(words, may_be_empty=False)
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), problem)
            if case.ticket.kind != Kind.PROBLEM:
                raise InvalidInput("only a ticket of the type problem has incidents")
            sight = await sight_of(session, by.id)
            done = (TicketStatus.SOLVED, TicketStatus.CLOSED)
            incidents = await session.scalars(
                select(Ticket.id)
                .join(TicketLink, TicketLink.ticket_id == Ticket.id)
                .where(
                    TicketLink.other_id == problem,
                    TicketLink.kind == LinkKind.INCIDENT,
                    Ticket.status.not_in(done),
                    true() if sight is None else sight.holds(),
                )
                .order_by(Ticket.id)
            )
            rows = [
                {
                    "id": new_id(),
                    "problem_id": problem,
                    "ticket_id": incident,
                    "agent_id": by.id,
                    "words": words.strip(),
                    "solves": solves,
                }
                for incident in incidents
            ]
            if not rows:
                raise InvalidInput("no incident of this problem is open")
            await session.execute(insert(ProblemUpdate), rows)
            noted = case.ledger.note(case.conversation, by.id, words.strip())
            case.ledger.record_message(case.ticket, noted, "note", actor=by.actor)
            case.ledger.record(case.ticket, "update", None, str(len(rows)), actor=by.actor)
            case.changed()
            await case.ledger.write(session)
            return len(rows)

    async def tell_due(self) -> int:
        """Do some of the updates that wait; return how many."""
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(ProblemUpdate.id)
                .where(ProblemUpdate.done_at.is_(None))
                .order_by(ProblemUpdate.id)
                .limit(_AT_ONCE)
            )
            waiting = due.all()
        for one in waiting:
            await self._tell(one)
        return len(waiting)

    async def _tell(self, update: UUID) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get_one(ProblemUpdate, update)
            case = await open_case(
                session, Ledger(self._accounts, self._now()), TicketId(row.ticket_id)
            )
            await session.refresh(row, with_for_update=True)
            if row.done_at is not None:
                return  # another worker was first
            row.done_at, row.outcome = case.ledger.now, "told"
            if case.is_done:
                row.outcome = "it was done already"
                return
            agent = AgentId(row.agent_id)
            actor = f"agent:{agent}"
            said, *_ = [
                case.ledger.say(conversation, Speaker.AGENT, row.words, agent=agent)
                for conversation in case.everywhere
            ]
            case.ledger.record_message(case.ticket, said, "agent", actor=actor)
            if case.ticket.first_response_at is None:
                case.ticket.first_response_at = case.ledger.now
            if row.solves:
                try:
                    await check_complete(case)
                except FieldsMissing as error:
                    row.outcome = str(error)
                    _LOGGER.info("ticket %s was told, but not solved", row.ticket_id)
                else:
                    case.move(TicketTrigger.SOLVED, actor=actor, reason="problem_solved")
                    case.conclude()
            case.changed()
            await case.ledger.write(session)
