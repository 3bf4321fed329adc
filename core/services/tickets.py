"""What agents do with tickets; each change is in the ticket's history with the same commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.content import Envelope, check_words
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from core.domain.ids import (
    AccountId,
    AgentId,
    ConversationId,
    MessageId,
    TicketId,
    UploadId,
    new_id,
)
from core.domain.ticket import (
    CATEGORY,
    TRIGGER_FOR,
    Priority,
    StatusCategory,
    TicketStatus,
    TicketTrigger,
    next_status,
)
from core.services.arrivals import begin_episode
from core.services.files.uploads import check_fit, handed_in
from core.services.handoff import SUMMARY_CHARS, subject_from
from core.services.ledger import Accounts, Ledger
from core.services.letters import bring_in
from core.services.turns import locked
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import AgentRow, Conversation, Message, Ticket
from core.storage.tables.ticket import ticket_number
from core.texts import text


@dataclass(slots=True)
class _Desk:
    """A ticket at work: its locked records and what is being added."""

    session: AsyncSession
    ledger: Ledger
    conversation: Conversation
    ticket: Ticket

    def move(self, trigger: TicketTrigger, *, actor: str, reason: str | None = None) -> None:
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
        old = self.ticket.assignee_id
        if old == agent:
            return
        self.ticket.assignee_id = agent
        self.ledger.record(
            self.ticket,
            "assignee",
            None if old is None else str(old),
            None if agent is None else str(agent),
            actor=actor,
            reason=reason,
        )

    def turn_over(self, cause: Cause) -> None:
        self.conversation.responder = next_responder(Responder(self.conversation.responder), cause)
        self.ledger.changed(self.conversation, FeedKind.CONVERSATION)

    def tell(self, key: str) -> None:
        self.ledger.say(
            self.conversation,
            Speaker.SYSTEM,
            text(self.conversation.language, key, number=self.ticket.number),
        )


class Tickets:
    """The agents' commands. Each is one transaction; `IllegalTransition` where it does not fit."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        solved_grace: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._solved_grace = solved_grace
        self._now = now

    @asynccontextmanager
    async def _at_work(self, ticket_id: TicketId) -> AsyncIterator[_Desk]:
        async with storage_errors(), self._sessions.begin() as session:
            conversation_id = await session.scalar(
                select(Ticket.conversation_id).where(Ticket.id == ticket_id)
            )
            if conversation_id is None:
                raise NotFound(f"there is no ticket {ticket_id}")
            conversation = await locked(session, ConversationId(conversation_id))
            ticket = await session.get_one(
                Ticket, ticket_id, with_for_update=True, populate_existing=True
            )
            desk = _Desk(session, Ledger(self._accounts, self._now()), conversation, ticket)
            yield desk
            ticket.updated_at = desk.ledger.now
            desk.ledger.changed(conversation, FeedKind.TICKET, ticket_id)
            await desk.ledger.write(session)

    async def take(self, ticket_id: TicketId, agent: Agent) -> None:
        """Give a ticket to `agent`; the assistant falls silent with the same commit.

        Raises:
            Conflict: somebody else has it; the message says who.
        """
        async with self._at_work(ticket_id) as desk:
            await _take(desk, agent)

    async def assign(self, ticket_id: TicketId, assignee: AgentId | None, by: Agent) -> None:
        """Give a ticket to `assignee`, or put it back into the queue.

        Raises:
            NotFound: there is no such agent.
        """
        async with self._at_work(ticket_id) as desk:
            if desk.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", desk.ticket.status, "assign")
            if assignee is None:
                desk.hand_to(None, actor=_actor(by))
                if desk.conversation.responder == Responder.HUMAN:
                    desk.turn_over(Cause.RELEASED)
                return
            row = await desk.session.get(AgentRow, assignee)
            if row is None or row.disabled_at is not None:
                raise NotFound("there is no such agent")
            desk.hand_to(assignee, actor=_actor(by))
            if CATEGORY[TicketStatus(desk.ticket.status)] == StatusCategory.DONE:
                return
            if desk.ticket.status == TicketStatus.NEW:
                desk.move(TicketTrigger.AGENT_TOOK, actor=_actor(by))
            desk.turn_over(Cause.AGENT_TOOK)

    async def reply(
        self,
        ticket_id: TicketId,
        agent: Agent,
        words: str,
        *,
        files: Sequence[UploadId] = (),
        then: TicketStatus | None = None,
        envelope: Envelope | None = None,
    ) -> MessageId:
        """Answer the requester. A ticket without an assignee becomes the agent's own.

        With `then`, the ticket has that status afterwards, by the same commit. `envelope`, which
        `Letters.checked` gave, says between whom a letter goes; else the channel has its way.
        """
        check_words(words, may_be_empty=bool(files))
        async with self._at_work(ticket_id) as desk:
            enclosed = await handed_in(desk.session, agent.id, files)
            check_fit(enclosed, self._accounts.get(AccountId(desk.conversation.account_id)))
            if desk.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", desk.ticket.status, "a reply")
            if desk.ticket.assignee_id is None:
                desk.hand_to(agent.id, actor=_actor(agent))
            if CATEGORY[TicketStatus(desk.ticket.status)] == StatusCategory.DONE:
                desk.move(TicketTrigger.REOPENED, actor=_actor(agent))
            elif desk.ticket.status == TicketStatus.NEW:
                desk.move(TicketTrigger.AGENT_TOOK, actor=_actor(agent))
            if desk.conversation.responder != Responder.HUMAN:
                desk.turn_over(Cause.AGENT_TOOK)
            if desk.ticket.first_response_at is None:
                desk.ticket.first_response_at = desk.ledger.now
            said = desk.ledger.say(
                desk.conversation,
                Speaker.AGENT,
                words.strip(),
                agent=agent.id,
                envelope=envelope,
            )
            if envelope is not None:
                await bring_in(desk.session, desk.conversation, envelope, desk.ledger.now)
            desk.ledger.enclose(said, enclosed)
            if then is not None:
                self._set_status(desk, then, agent)
            return said

    async def note(
        self, ticket_id: TicketId, agent: Agent, words: str, *, files: Sequence[UploadId] = ()
    ) -> MessageId:
        """Leave an internal note; the requester never sees it."""
        check_words(words, may_be_empty=bool(files))
        async with self._at_work(ticket_id) as desk:
            enclosed = await handed_in(desk.session, agent.id, files)
            noted = desk.ledger.note(desk.conversation, agent.id, words.strip())
            desk.ledger.enclose(noted, enclosed)
            return noted

    async def set_status(self, ticket_id: TicketId, status: TicketStatus, agent: Agent) -> None:
        """Set a ticket's status; the requester is told when it is solved, closed or reopened."""
        async with self._at_work(ticket_id) as desk:
            self._set_status(desk, status, agent)

    def _set_status(self, desk: _Desk, status: TicketStatus, agent: Agent) -> None:
        if status not in TRIGGER_FOR:
            raise InvalidInput("a ticket cannot be set to new")
        old = TicketStatus(desk.ticket.status)
        desk.move(TRIGGER_FOR[status], actor=_actor(agent))
        was_done = CATEGORY[old] == StatusCategory.DONE
        is_done = CATEGORY[status] == StatusCategory.DONE
        if is_done and not was_done:
            _end(desk, status)
        elif was_done and not is_done:
            desk.turn_over(Cause.TICKET_REOPENED)
            if desk.ticket.assignee_id is not None:
                desk.turn_over(Cause.AGENT_TOOK)
            desk.tell("Your ticket **#{number}** is open again.")

    async def return_to_bot(self, ticket_id: TicketId, agent: Agent) -> None:
        """Hand the conversation back to the assistant; the ticket is solved with it.

        The assistant begins a new episode that knows what the agents said.
        """
        async with self._at_work(ticket_id) as desk:
            # Its conversation may have gone on without it: with another ticket, or in another
            # conversation of the same thread, whose message numbers these would repeat.
            if desk.ticket.status == TicketStatus.CLOSED:
                raise IllegalTransition("ticket", desk.ticket.status, "hand back")
            if desk.conversation.responder == Responder.BOT:
                raise IllegalTransition("conversation", desk.conversation.responder, "hand back")
            if CATEGORY[TicketStatus(desk.ticket.status)] != StatusCategory.DONE:
                desk.move(
                    TicketTrigger.SOLVED, actor=_actor(agent), reason="returned to the assistant"
                )
            desk.conversation.episode_summary = await _summary(desk)
            desk.tell("You are talking to the assistant again. Ask for a person at any time.")
            responder = next_responder(Responder(desk.conversation.responder), Cause.HANDED_BACK)
            begin_episode(desk.conversation, responder)
            desk.conversation.closed_at = None
            desk.ledger.changed(desk.conversation, FeedKind.CONVERSATION)

    async def take_over(self, conversation_id: ConversationId, agent: Agent) -> TicketId:
        """Take a conversation that the assistant is holding; it gets a ticket of its own.

        Raises:
            NotFound: there is no such conversation.
            IllegalTransition: the assistant does not hold it.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if await session.get(Conversation, conversation_id) is None:
                raise NotFound(f"there is no conversation {conversation_id}")
            conversation = await locked(session, conversation_id)
            if conversation.responder != Responder.BOT:
                raise IllegalTransition("conversation", conversation.responder, "a take-over")
            ledger = Ledger(self._accounts, self._now())
            ticket = await session.scalar(
                select(Ticket)
                .where(
                    Ticket.conversation_id == conversation_id,
                    Ticket.status != TicketStatus.CLOSED,
                )
                .with_for_update()
            )
            if ticket is None:
                ticket = await _ticket_for(session, ledger, conversation, agent)
            desk = _Desk(session, ledger, conversation, ticket)
            desk.hand_to(agent.id, actor=_actor(agent))
            desk.move(TicketTrigger.AGENT_TOOK, actor=_actor(agent))
            desk.turn_over(Cause.AGENT_TOOK)
            ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))
            await ledger.write(session)
            return TicketId(ticket.id)

    async def close_solved(self, limit: int = 100) -> int:
        """Close tickets whose requester has been silent since they were solved."""
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(Ticket.id)
                .where(
                    Ticket.status == TicketStatus.SOLVED,
                    Ticket.solved_at < self._now() - self._solved_grace,
                )
                .limit(limit)
            )
            tickets = [TicketId(row) for row in due]
        closed = 0
        for ticket_id in tickets:
            async with self._at_work(ticket_id) as desk:
                if desk.ticket.status == TicketStatus.SOLVED:
                    desk.move(TicketTrigger.GRACE_ENDED, actor="timer")
                    closed += 1
        return closed


def _end(desk: _Desk, status: TicketStatus) -> None:
    """Tell the requester that their ticket has come to its end."""
    if status == TicketStatus.SOLVED:
        desk.tell(
            "Your ticket **#{number}** is solved. If something is still not right, "
            "write here and it opens again."
        )
    else:
        desk.tell("Your ticket **#{number}** is closed. Write here whenever you need us again.")
    if desk.conversation.responder != Responder.CLOSED:
        desk.turn_over(Cause.CLOSED)
    desk.conversation.closed_at = desk.ledger.now


async def _take(desk: _Desk, agent: Agent) -> None:
    if desk.ticket.status == TicketStatus.CLOSED:
        raise IllegalTransition("ticket", desk.ticket.status, TicketTrigger.AGENT_TOOK)
    holder = desk.ticket.assignee_id
    if holder is not None and holder != agent.id:
        row = await desk.session.get_one(AgentRow, holder)
        raise Conflict(f"{row.name} has this ticket already")
    was_done = CATEGORY[TicketStatus(desk.ticket.status)] == StatusCategory.DONE
    desk.hand_to(agent.id, actor=_actor(agent))
    if desk.ticket.status == TicketStatus.NEW or was_done:
        desk.move(TicketTrigger.AGENT_TOOK, actor=_actor(agent))
    if desk.conversation.responder != Responder.HUMAN:
        desk.turn_over(Cause.AGENT_TOOK)


async def _ticket_for(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, agent: Agent
) -> Ticket:
    words = await session.scalar(
        select(Message.text)
        .where(Message.conversation_id == conversation.id, Message.speaker == Speaker.CUSTOMER)
        .order_by(Message.position, Message.seq)
        .limit(1)
    )
    ticket = Ticket(
        id=new_id(),
        number=await session.scalar(ticket_number.next_value()),
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        kind="incident",
        status=TicketStatus.NEW,
        priority=Priority.NORMAL,
        reason=HandoffReason.AGENT_TOOK_OVER,
        subject=subject_from(conversation.subject or words or ""),
        summary=(words or "")[:SUMMARY_CHARS],
        language=conversation.language or "en",
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    session.add(ticket)
    await session.flush()
    ledger.record(ticket, "status", None, TicketStatus.NEW, actor=_actor(agent))
    return ticket


async def _summary(desk: _Desk) -> str:
    """Return what the agents told the requester, for the assistant's next episode."""
    said = await desk.session.scalars(
        select(Message.text)
        .where(
            Message.conversation_id == desk.conversation.id,
            Message.speaker == Speaker.AGENT,
            Message.is_internal.is_(False),
        )
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(3)
    )
    words = "\n".join(reversed(said.all()))
    return f"Ticket #{desk.ticket.number}: {desk.ticket.subject}\n{words}"[:SUMMARY_CHARS]


def _actor(agent: Agent) -> str:
    return f"agent:{agent.id}"
