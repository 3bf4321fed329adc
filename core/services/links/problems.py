"""Problems: opened by agents, and told of to all their requesters, each where they wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.classification import FieldsMissing, Kind
from core.domain.content import UNSTORABLE, check_words
from core.domain.conversation import Speaker
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, TicketId, new_id
from core.domain.links import LinkKind
from core.domain.setbacks import Chore
from core.domain.ticket import TicketStatus, TicketTrigger
from core.services.case import Case, open_case, open_cases
from core.services.classification.sorting import SAME, Sorting, apply, check_complete
from core.services.conversations.letters import MAX_SUBJECT_CHARS
from core.services.ledger import Accounts, Ledger
from core.services.links.links import LOCK, note_link
from core.services.links.opening import open_problem
from core.services.setbacks import Setbacks
from core.services.tickets.answering import give_status
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.tables import ProblemUpdate, Ticket, TicketLink

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 20
_DONE = (TicketStatus.SOLVED, TicketStatus.CLOSED)


class Problems:
    """What agents do with problems; one work item for each incident, so that each is told once."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.PROBLEM_UPDATES, now)

    async def begin(
        self,
        subject: str,
        words: str,
        by: Agent,
        *,
        sorting: Sorting | None = None,
        incidents: Collection[TicketId] = (),
    ) -> TicketId:
        """Open a problem that no requester reported, with the `incidents` that are known.

        Raises:
            NotFound: there is no such ticket.
            InvalidInput: it lacks words, one of the incidents is a problem itself, or something of
                `sorting` does not fit.
        """
        check_words(words)
        if not subject.strip() or len(subject) > MAX_SUBJECT_CHARS or UNSTORABLE.search(subject):
            raise InvalidInput("a ticket needs a subject")
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(LOCK)
            ledger = Ledger(self._accounts, self._now())
            cases = await open_cases(session, ledger, *dict.fromkeys(incidents))
            if any(case.ticket.kind == Kind.PROBLEM for case in cases):
                raise InvalidInput("a problem is no incident of another")
            problem = await open_problem(
                session, ledger, subject.strip(), words.strip(), by, HandoffReason.REGISTERED
            )
            await ledger.write(session)
            await session.refresh(problem.ticket)  # with what the database gave it
            if sorting is not None:
                await apply(problem, replace(sorting, kind=SAME), actor=by.actor)
            for case in cases:
                session.add(
                    TicketLink(
                        id=new_id(),
                        ticket_id=case.ticket.id,
                        other_id=problem.ticket.id,
                        kind=LinkKind.INCIDENT,
                    )
                )
                note_link(case, problem, LinkKind.INCIDENT, by)
            await ledger.write(session)
            return TicketId(problem.ticket.id)

    async def update(
        self, problem: TicketId, words: str, by: Agent, *, solves: bool = False
    ) -> int:
        """Have `words` told to whoever asked for the problem, and for its unfinished incidents.

        Incidents of teams whose tickets `by` may not see are left out. Whoever reported the
        problem itself, in a ticket that became it, is told with this commit; where nobody did, the
        words are a note.

        With `solves`, the problem and its incidents are solved; then `words` may be empty, and
        each is told only that their ticket is solved. Returns how many will be told.

        Raises:
            NotFound: there is no such ticket.
            InvalidInput: it is no problem, nobody is there to be told, or the problem lacks what
                its category asks for before it is solved.
        """
        check_words(words, may_be_empty=solves)
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), problem)
            if case.ticket.kind != Kind.PROBLEM:
                raise InvalidInput("only a ticket of the type problem has incidents")
            rows = [
                {
                    "id": new_id(),
                    "problem_id": problem,
                    "ticket_id": incident,
                    "agent_id": by.id,
                    "words": words.strip(),
                    "solves": solves,
                }
                for incident in await _open_incidents(session, problem, by)
            ]
            hears = _has_a_requester(case) and not case.is_done
            if not rows and not hears and (case.is_done or not solves):
                raise InvalidInput("no incident of this problem is open")
            if rows:
                await session.execute(insert(ProblemUpdate), rows)
            if hears and words.strip():
                _tell(case, words.strip(), by.id)
            elif words.strip():
                noted = case.ledger.note(case.conversation, by.id, words.strip())
                case.ledger.record_message(case.ticket, noted, "note", actor=by.actor)
            if rows:
                case.ledger.record(case.ticket, "update", None, str(len(rows)), actor=by.actor)
            if solves and not case.is_done:
                await give_status(case, TicketStatus.SOLVED, actor=by.actor)
            case.changed()
            await case.ledger.write(session)
            return len(rows) + hears

    async def tell_due(self) -> int:
        """Do some of the updates that wait; return how many."""
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(ProblemUpdate.id)
                .where(ProblemUpdate.done_at.is_(None), self._setbacks.is_free(ProblemUpdate.id))
                .order_by(ProblemUpdate.id)
                .limit(_AT_ONCE)
            )
            waiting = due.all()
        await self._setbacks.each(waiting, self._do)
        return len(waiting)

    async def _do(self, update: UUID) -> None:
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
            by = AgentId(row.agent_id)
            if row.words:
                _tell(case, row.words, by)
            if row.solves:
                try:
                    await check_complete(case)
                except FieldsMissing as error:
                    row.outcome = str(error)
                    _LOGGER.info("ticket %s was told, but not solved", row.ticket_id)
                else:
                    case.move(TicketTrigger.SOLVED, actor=f"agent:{by}", reason="problem_solved")
                    case.conclude()
            case.changed()
            await case.ledger.write(session)


async def _open_incidents(session: AsyncSession, problem: TicketId, by: Agent) -> Sequence[UUID]:
    """Return the unfinished incidents of `problem` that `by` may see."""
    sight = await sight_of(session, by)
    found = await session.scalars(
        select(Ticket.id)
        .join(TicketLink, TicketLink.ticket_id == Ticket.id)
        .where(
            TicketLink.other_id == problem,
            TicketLink.kind == LinkKind.INCIDENT,
            Ticket.status.not_in(_DONE),
            true() if sight is None else sight.holds(),
        )
        .order_by(Ticket.id)
    )
    return found.all()


def _has_a_requester(case: Case) -> bool:
    """Say whether somebody besides agents asked for the ticket, and can be told."""
    can = case.ledger.can(case.conversation.account_id)
    return can is None or not can.unread


def _tell(case: Case, words: str, by: AgentId) -> None:
    said, *_ = [
        case.ledger.say(conversation, Speaker.AGENT, words, agent=by)
        for conversation in case.everywhere
    ]
    case.ledger.record_message(case.ticket, said, "agent", actor=f"agent:{by}")
    if case.ticket.first_response_at is None:
        case.ticket.first_response_at = case.ledger.now
