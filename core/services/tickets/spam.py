"""Marks tickets as spam, blocks who sent them, and brings back what was none."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.audited import Deed
from core.domain.conversation import Responder
from core.domain.errors import Conflict, NotFound
from core.domain.ids import ConversationId, TicketId
from core.domain.ticket import ClosedAs, TicketStatus
from core.services import audit
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.locks import locked
from core.services.tickets.handoff import hand_off
from core.services.tickets.reviving import NOT_SPAM, revive
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import ContactAddress, Conversation, Ticket, TicketEvent

_MOST_AT_ONCE = 200


class SpamFolder:
    """What agents say is spam. It is kept: closed, out of the queue and of all figures.

    A blocked sender's later messages are kept as spam conversations without a ticket, and nobody
    is told of them (`core/services/intake/arrivals.py`).
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now

    async def mark(self, ticket_id: TicketId, by: Agent, *, blocks: bool) -> None:
        """Close a ticket as spam; its requester hears nothing.

        With `blocks`, what the address it came from writes later is spam too, in every account
        that it writes to or ever will.

        Raises:
            NotFound: there is no such ticket.
            Conflict: it is spam already, it or its conversation goes on in another ticket,
                others were merged into it, or nobody knows whom to block.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket_id)
            await _mark(case, actor=by.actor)
            if blocks and not await _block(session, case.conversation, case.ledger.now):
                raise Conflict("the sender's address is not known: mark it without blocking")
            await _tell(case, by, "ticket.marked_spam", {"sender": "blocked"} if blocks else {})

    async def clear(self, ticket_id: TicketId, by: Agent) -> None:
        """Say that a ticket is no spam: it is what it was, and its sender is heard again.

        What they wrote meanwhile is in it; what began other conversations goes to the queue.

        Raises:
            NotFound: there is no such ticket.
            Conflict: it is not marked as spam.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket_id)
            if case.ticket.closed_as != ClosedAs.SPAM:
                raise Conflict("this ticket is not marked as spam")
            marked = await _marked(session, ticket_id)
            status = TicketStatus(marked.old or TicketStatus.OPEN)
            responder = Responder.QUEUED if case.ticket.assignee_id is None else Responder.HUMAN
            if status in (TicketStatus.SOLVED, TicketStatus.CLOSED):
                responder = Responder.CLOSED
            if case.conversation.is_spam:  # else its requester has begun anew, and was answered
                await revive(case, status, responder, marked.at, actor=by.actor, reason=NOT_SPAM)
                case.conversation.is_spam = False
            case.ticket.closed_as = None
            await _tell(case, by, "ticket.not_spam", {})
            contacts = await _unblock(session, case.conversation)
        await self._release_all(contacts, by)

    async def release(self, conversation_id: ConversationId, by: Agent) -> TicketId:
        """Say that a conversation is no spam: it goes to the queue, and its sender is heard again.

        Raises:
            NotFound: there is no such conversation, or it is no spam.
        """
        async with storage_errors(), self._sessions.begin() as session:
            if await session.get(Conversation, conversation_id) is None:
                raise NotFound("there is no such conversation")
            conversation = await locked(session, conversation_id)
            if not conversation.is_spam:
                raise NotFound("this conversation is not in the spam")
            ticket = await self._release(session, conversation, by)
            contacts = await _unblock(session, conversation)
        await self._release_all(contacts, by)
        return ticket

    async def _release_all(self, contacts: Collection[UUID], by: Agent) -> None:
        """Bring back what `contacts` began while they were blocked, some at a time.

        Where that breaks off, the rest is in the list of spam: releasing one of them goes on.
        """
        while await self._release_some(contacts, by):
            pass

    async def _release_some(self, contacts: Collection[UUID], by: Agent) -> bool:
        async with storage_errors(), self._sessions.begin() as session:
            found = await session.scalars(
                select(Conversation)
                .where(
                    Conversation.is_spam,
                    Conversation.contact_id.in_(contacts),
                    ~exists().where(Ticket.conversation_id == Conversation.id),
                )
                .order_by(Conversation.id)
                .limit(_MOST_AT_ONCE)
                .with_for_update()
            )
            conversations = found.all()
            for conversation in conversations:
                await self._release(session, conversation, by)
            return len(conversations) == _MOST_AT_ONCE

    async def _release(
        self, session: AsyncSession, conversation: Conversation, by: Agent
    ) -> TicketId:
        ledger = Ledger(self._accounts, self._now())
        conversation.is_spam = False
        conversation.responder = Responder.BOT  # whom it would have been with
        conversation.closed_at = None
        ticket = await hand_off(
            session,
            ledger,
            conversation,
            reason=HandoffReason.NOT_SPAM,
            actor=by.actor,
            silent=True,
        )
        ledger.changed(conversation, FeedKind.CONVERSATION)
        await ledger.write(session)
        subject = ("ticket", ticket.number, ticket.subject)
        audit.record(session, by.actor, "ticket.not_spam", subject)
        return TicketId(ticket.id)


async def mark_as_spam(case: Case, *, actor: str) -> None:
    """Close the locked ticket of `case` as spam; its requester hears nothing.

    Raises:
        Conflict: it is spam already, it or its conversation goes on in another ticket, or others
            were merged into it.
    """
    await _mark(case, actor=actor)
    case.ledger.changed(case.conversation, FeedKind.CONVERSATION)
    subject = ("ticket", case.ticket.number, case.ticket.subject)
    audit.record(case.session, actor, "ticket.marked_spam", subject, new={})


async def _mark(case: Case, *, actor: str) -> None:
    if case.ticket.closed_as == ClosedAs.SPAM:
        raise Conflict("this ticket is marked as spam already")
    if case.ticket.closed_as == ClosedAs.MERGED:
        raise Conflict("this ticket was merged into another one already")
    if await _goes_on(case):
        raise Conflict("its conversation goes on in another ticket")
    if case.joined:
        raise Conflict("part the tickets that were merged into it first")
    case.ledger.record(
        case.ticket,
        "status",
        case.ticket.status,
        TicketStatus.CLOSED,
        actor=actor,
        reason="spam",
    )
    now = case.ledger.now
    case.ticket.status, case.ticket.closed_as = TicketStatus.CLOSED, ClosedAs.SPAM
    case.ticket.solved_at = case.ticket.solved_at or now
    case.ticket.closed_at = case.ticket.closed_at or now
    case.conversation.is_spam = True
    if case.conversation.responder != Responder.CLOSED:  # else it had ended before
        case.conversation.closed_at = now
    case.conversation.responder = Responder.CLOSED


async def _goes_on(case: Case) -> bool:
    """Say whether another ticket of the same conversation is not closed."""
    found = await case.session.scalar(
        select(
            exists().where(
                Ticket.conversation_id == case.conversation.id,
                Ticket.id != case.ticket.id,
                Ticket.status != TicketStatus.CLOSED,
            )
        )
    )
    return bool(found)


def _senders(conversation: Conversation) -> ColumnElement[bool]:
    """Return the condition that an address, in whatever account, began `conversation`."""
    if conversation.address is None:  # it began before addresses were kept
        return and_(
            ContactAddress.contact_id == conversation.contact_id,
            ContactAddress.account_id == conversation.account_id,
        )
    return func.lower(ContactAddress.address) == conversation.address.lower()


async def _block(session: AsyncSession, conversation: Conversation, now: datetime) -> bool:
    """Block who began `conversation`; say whether there is anybody."""
    blocked = await session.scalars(
        update(ContactAddress)
        .where(_senders(conversation))
        .values(blocked_at=now)
        .returning(ContactAddress.address)
    )
    return bool(blocked.all())


async def _unblock(session: AsyncSession, conversation: Conversation) -> Collection[UUID]:
    """Unblock who began `conversation`; return the contacts they are in the accounts."""
    unblocked = await session.scalars(
        update(ContactAddress)
        .where(_senders(conversation))
        .values(blocked_at=None)
        .returning(ContactAddress.contact_id)
    )
    return {*unblocked, conversation.contact_id}


async def _marked(session: AsyncSession, ticket: TicketId) -> TicketEvent:
    found = await session.scalars(
        select(TicketEvent)
        .where(
            TicketEvent.ticket_id == ticket,
            TicketEvent.field == "status",
            TicketEvent.reason == "spam",
        )
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    return found.one()


async def _tell(case: Case, by: Agent, action: Deed, more: dict[str, str]) -> None:
    """Write it down, for the audit log and live pages too."""
    case.ledger.changed(case.conversation, FeedKind.CONVERSATION)
    case.changed()
    await case.ledger.write(case.session)
    subject = ("ticket", case.ticket.number, case.ticket.subject)
    audit.record(case.session, by.actor, action, subject, new=more)
