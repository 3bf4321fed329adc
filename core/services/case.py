"""A ticket at work: its locked records, and the changes that one transaction makes to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import PROGRAMS
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.errors import NotFound
from core.domain.ids import AgentId, ConversationId, TeamId, TicketId
from core.domain.ticket import (
    CATEGORY,
    Priority,
    StatusCategory,
    TicketStatus,
    TicketTrigger,
    next_status,
)
from core.services.ledger import Ledger
from core.services.locks import all_locked
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import beneath
from core.storage.tables import Conversation, Ticket
from core.texts import text

ENDED = {
    TicketStatus.SOLVED: (
        "Your ticket **#{number}** is solved. If something is still not right, "
        "write here and it opens again."
    ),
    TicketStatus.CLOSED: (
        "Your ticket **#{number}** is closed. Write here whenever you need us again."
    ),
}
"""What a requester is told when their ticket ends."""

_TICKETS = (
    select(Ticket)
    .where(Ticket.id == any_(bindparam("names", type_=ARRAY(Uuid()))))
    .order_by(Ticket.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)


@dataclass(slots=True)
class Case:
    """A ticket with its conversation, both locked by `session`'s transaction.

    Every change goes through here or `ledger.record`, so that it is in the ticket's history and
    the desk reacts to it.
    """

    session: AsyncSession
    ledger: Ledger
    conversation: Conversation
    ticket: Ticket
    joined: Sequence[Conversation] = ()  # those of tickets that were merged into this one

    @property
    def everywhere(self) -> Sequence[Conversation]:
        """The conversations in which this ticket is talked about, its own first."""
        return (self.conversation, *self.joined)

    @property
    def is_done(self) -> bool:
        """Whether the ticket is solved or closed."""
        return CATEGORY[TicketStatus(self.ticket.status)] == StatusCategory.DONE

    def move(self, trigger: TicketTrigger, *, actor: str, reason: str | None = None) -> None:
        """Move the ticket to the status that `trigger` leads to."""
        old = TicketStatus(self.ticket.status)
        new = next_status(old, trigger)
        if new == old:
            return
        self.ticket.status = new
        now = self.ledger.now
        if CATEGORY[new] != StatusCategory.DONE:
            self.ticket.solved_at = None
        elif CATEGORY[old] != StatusCategory.DONE:
            self.ticket.solved_at = now
        if new == TicketStatus.CLOSED:
            self.ticket.closed_at = now
        self.ledger.record(self.ticket, "status", old, new, actor=actor, reason=reason)

    def hand_to(self, agent: AgentId | None, *, actor: str, reason: str | None = None) -> None:
        """Make `agent` the assignee, or nobody. The conversation's responder is not touched."""
        old = self.ticket.assignee_id
        if old == agent:
            return
        self.ticket.assignee_id = agent
        self._record("assignee", old, agent, actor, reason)

    def release(self, *, actor: str, reason: str | None = None) -> None:
        """Take the ticket from whoever has it; the requester waits for somebody else."""
        self.hand_to(None, actor=actor, reason=reason)
        if self.conversation.responder == Responder.HUMAN:
            self.turn_over(Cause.RELEASED)

    def pass_to(self, team: TeamId | None, *, actor: str, reason: str | None = None) -> None:
        """Make `team` responsible, or none."""
        old = self.ticket.team_id
        if old == team:
            return
        self.ticket.team_id = team
        self._record("team", old, team, actor, reason)

    def put_at(self, level: int, *, actor: str, reason: str | None = None) -> None:
        """Bring the ticket to a level of support, 1 to 3."""
        old = self.ticket.level
        if old == level:
            return
        self.ticket.level = level
        self.ledger.record(self.ticket, "level", str(old), str(level), actor=actor, reason=reason)

    def rank(self, priority: Priority, *, actor: str, reason: str | None = None) -> None:
        """Give the ticket `priority`."""
        old = self.ticket.priority
        if old == priority:
            return
        self.ticket.priority = priority
        self.ledger.record(self.ticket, "priority", old, priority, actor=actor, reason=reason)

    def turn_over(self, cause: Cause) -> None:
        """Change who answers the requester."""
        self.conversation.responder = next_responder(Responder(self.conversation.responder), cause)
        self.ledger.changed(self.conversation, FeedKind.CONVERSATION)

    def conclude(self) -> None:
        """Tell the requester that the ticket, solved or closed just now, has come to its end."""
        self.tell(ENDED[TicketStatus(self.ticket.status)])
        if self.conversation.responder != Responder.CLOSED:
            self.turn_over(Cause.CLOSED)
        self.conversation.closed_at = self.ledger.now

    def tell(self, key: str) -> None:
        """Say the desk's sentence `key` to the requester, in their language.

        Requesters of tickets that were merged into this one are told too. Where a program or
        nobody reported, nobody reads what is said, and nothing is.
        """
        for conversation in self.everywhere:
            if conversation.account_id == PROGRAMS:
                continue
            self.ledger.say(
                conversation,
                Speaker.SYSTEM,
                text(conversation.language, key, number=self.ticket.number),
            )

    def changed(self) -> None:
        """Tell live pages that the ticket is not what it was."""
        self.ledger.changed(self.conversation, FeedKind.TICKET, TicketId(self.ticket.id))

    def _record(
        self, field: str, old: UUID | None, new: UUID | None, actor: str, reason: str | None
    ) -> None:
        self.ledger.record(
            self.ticket,
            field,
            None if old is None else str(old),
            None if new is None else str(new),
            actor=actor,
            reason=reason,
        )


async def open_case(session: AsyncSession, ledger: Ledger, ticket_id: TicketId) -> Case:
    """Lock a ticket's conversations, then the ticket; return both at work.

    Raises:
        NotFound: there is no such ticket.
    """
    (case,) = await open_cases(session, ledger, ticket_id)
    return case


async def open_free_cases(
    session: AsyncSession, ledger: Ledger, tickets: Mapping[TicketId, Conversation]
) -> list[Case]:
    """Lock tickets as `open_case` does one, without waiting for a conversation.

    `tickets` names each with its conversation, which is locked already. Those for which somebody
    else has locked a conversation that was merged into theirs are left out.
    """
    joined = await beneath(session, tickets)
    held = {ConversationId(main.id): main for main in tickets.values()}
    wanted = frozenset[ConversationId]().union(*joined.values()) - held.keys()
    if wanted:
        held |= await all_locked(session, wanted, skip_locked=True)
    free = [ticket for ticket in tickets if joined[ticket] <= held.keys()]
    named = await _tickets_of(session, free)
    return [
        Case(
            session,
            ledger,
            tickets[name],
            row,
            [
                held[one]
                for one in sorted(joined[name])
                if held[one].merged_into == row.conversation_id
            ],
        )
        for name, row in named.items()
    ]


async def open_unlocked_cases(
    session: AsyncSession, ledger: Ledger, tickets: Collection[TicketId]
) -> list[Case]:
    """Lock those of `tickets` that nobody else has locked, as `open_case` does one."""
    rows = await session.execute(
        select(Ticket.id, Ticket.conversation_id).where(Ticket.id.in_(tickets))
    )
    mains = {TicketId(ticket): ConversationId(main) for ticket, main in rows}
    held = await all_locked(session, set(mains.values()), skip_locked=True)
    free = {ticket: held[main] for ticket, main in mains.items() if main in held}
    return await open_free_cases(session, ledger, free)


async def _tickets_of(session: AsyncSession, names: Iterable[TicketId]) -> dict[TicketId, Ticket]:
    """Return tickets, locked in an order that all callers keep."""
    rows = await session.scalars(_TICKETS, {"names": list(names)})
    return {TicketId(row.id): row for row in rows}


async def open_cases(session: AsyncSession, ledger: Ledger, *tickets: TicketId) -> list[Case]:
    """Lock several tickets as `open_case` does one, in an order that all callers keep.

    Raises:
        NotFound: there is no such ticket.
    """
    rows = await session.execute(
        select(Ticket.id, Ticket.conversation_id).where(Ticket.id.in_(tickets))
    )
    mains = {TicketId(ticket): ConversationId(main) for ticket, main in rows}
    for ticket in tickets:
        if ticket not in mains:
            raise NotFound(f"there is no ticket {ticket}")
    held: dict[ConversationId, Conversation] = {}
    wanted = set(mains.values())
    while True:
        joined = await beneath(session, mains.keys())
        wanted = wanted.union(*joined.values()) - held.keys()
        if not wanted:
            break
        # Again once they are locked: others may have been merged while this waited. With all of
        # them locked, none can come or go any more.
        held |= await all_locked(session, wanted)
    named = await _tickets_of(session, mains)
    return [
        Case(
            session,
            ledger,
            held[mains[ticket]],
            named[ticket],
            [held[one] for one in sorted(joined[ticket]) if held[one].merged_into == mains[ticket]],
        )
        for ticket in tickets
    ]
