"""How part of a conversation becomes one of its own, where letters turned to something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.assistant import HandoffReason
from core.domain.conversation import Responder, Speaker
from core.domain.errors import Conflict, NotFound
from core.domain.ids import AccountId, ConversationId, MessageId, TicketId, new_id
from core.domain.ticket import Priority, TicketStatus
from core.services.handoff import SUMMARY_CHARS, subject_from
from core.services.ledger import Accounts, Ledger
from core.services.letters import Letters
from core.services.locks import locked
from core.services.rejoining import ON_ITS_WAY
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import (
    ChoiceRow,
    ContactAddress,
    Conversation,
    Delivery,
    Message,
    Participant,
    Ticket,
)
from core.storage.tables.ticket import ticket_number
from core.storage.wakeups import LaneKind


class Splitting:
    """Splits conversations. Messages keep their numbers, so that they can be put back."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        letters: Letters,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._letters = letters
        self._now = now

    async def split(
        self, ticket_id: TicketId, message_id: MessageId, agent: Agent, *, with_later: bool
    ) -> TicketId:
        """Begin a conversation with a requester's message; return the ticket that it gets.

        With `with_later`, all that was said after it goes along. Who answers a message that went
        finds the new conversation, because the thread is looked up by the message. The old and
        the new ticket keep what was done: field "split", with the ticket's number on the other
        side, the message it began at, and whether later ones went along.

        Raises:
            NotFound: the ticket's conversation has no such message of the requester's side.
            Conflict: the conversation begins with it, or something of it is being sent.
            InvalidInput: the channel has no letters, so that answers could not be told apart.
        """
        async with storage_errors(), self._sessions.begin() as session:
            old_ticket = await session.get(Ticket, ticket_id)
            if old_ticket is None:
                raise NotFound(f"there is no ticket {ticket_id}")
            old = await locked(session, ConversationId(old_ticket.conversation_id))
            await session.refresh(old_ticket, with_for_update=True)
            moved = await _to_move(session, old, message_id, with_later=with_later)
            ledger = Ledger(self._accounts, self._now())
            new = await self._begin(session, ledger, old, moved)
            await _move(session, old, new, moved)
            ticket = await _ticket_for(session, ledger, old_ticket, new, moved[0], agent)
            how = "with later" if with_later else "alone"
            actor = agent.actor
            ledger.record(
                old_ticket, "split", str(message_id), str(ticket.number), actor=actor, reason=how
            )
            ledger.record(
                ticket, "split", str(message_id), str(old_ticket.number), actor=actor, reason=how
            )
            ledger.changed(old, FeedKind.MESSAGE)
            ledger.changed(old, FeedKind.TICKET, ticket_id)
            ledger.changed(new, FeedKind.CONVERSATION)
            ledger.changed(new, FeedKind.TICKET, TicketId(ticket.id))
            ledger.wake(LaneKind.FILES, new)
            await ledger.write(session)
            return TicketId(ticket.id)

    async def _begin(
        self, session: AsyncSession, ledger: Ledger, old: Conversation, moved: Sequence[Message]
    ) -> Conversation:
        first = moved[0]
        author = first.author or old.address
        contact = await session.scalar(
            select(ContactAddress.contact_id).where(
                ContactAddress.account_id == old.account_id, ContactAddress.address == author
            )
        )
        last_seq = max(message.seq for message in moved)
        new = Conversation(
            id=new_id(),
            account_id=old.account_id,
            thread=self._letters.begin_thread(AccountId(old.account_id)),
            is_current=True,
            contact_id=contact or old.contact_id,
            address=author,
            responder=Responder.HUMAN,
            episode=1,
            episode_first_seq=last_seq + 1,
            turned_seq=last_seq,
            language=old.language,
            language_is_chosen=old.language_is_chosen,
            subject=(first.envelope or {}).get("subject") or old.subject,
            first_seq=min(message.seq for message in moved),
            last_seq=last_seq,
            last_order=max((m.order for m in moved if m.order), default=None),
            last_message_at=ledger.now,
        )
        session.add(new)
        await session.flush()
        await _copy_participants(session, old, new)
        return new


async def _to_move(
    session: AsyncSession, old: Conversation, message_id: MessageId, *, with_later: bool
) -> Sequence[Message]:
    first = await session.get(Message, message_id, populate_existing=True)
    if first is None or first.conversation_id != old.id or first.speaker != Speaker.CUSTOMER:
        raise NotFound("there is no such message")
    place = tuple_(Message.position, Message.seq)
    said = await session.scalars(
        select(Message)
        .where(Message.conversation_id == old.id, place >= (first.position, first.seq))
        .order_by(Message.position, Message.seq)
    )
    before = await session.scalar(
        select(Message.id)
        .where(Message.conversation_id == old.id, place < (first.position, first.seq))
        .where(Message.speaker == Speaker.CUSTOMER)
        .limit(1)
    )
    if before is None:
        raise Conflict("a conversation cannot be split at its beginning")
    moved = said.all() if with_later else [first]
    if any(message.delivery in ON_ITS_WAY for message in moved):
        raise Conflict("wait until what is being sent has left")
    return moved


async def _move(
    session: AsyncSession, old: Conversation, new: Conversation, moved: Sequence[Message]
) -> None:
    ids = [message.id for message in moved]
    for table in (ChoiceRow, Delivery):
        await session.execute(
            update(table)
            .where(table.message_id.in_(ids), table.conversation_id == old.id)
            .values(conversation_id=new.id)
        )
    for message in moved:
        message.conversation_id = new.id


async def _copy_participants(session: AsyncSession, old: Conversation, new: Conversation) -> None:
    rows = await session.scalars(
        select(Participant).where(
            Participant.conversation_id == old.id, Participant.left_at.is_(None)
        )
    )
    people = [
        {
            "conversation_id": new.id,
            "address": row.address,
            "name": row.name,
            "joined_at": row.joined_at,
        }
        for row in rows
        if row.address != new.address
    ]
    if old.address is not None and old.address != new.address:
        people.append(
            {
                "conversation_id": new.id,
                "address": old.address,
                "name": None,
                "joined_at": new.last_message_at,
            }
        )
    if people:
        await session.execute(upsert(Participant).on_conflict_do_nothing(), people)


async def _ticket_for(
    session: AsyncSession,
    ledger: Ledger,
    old: Ticket,
    new: Conversation,
    first: Message,
    agent: Agent,
) -> Ticket:
    ticket = Ticket(
        id=new_id(),
        number=await session.scalar(ticket_number.next_value()),
        conversation_id=new.id,
        contact_id=new.contact_id,
        kind=old.kind,
        status=TicketStatus.OPEN,
        priority=Priority.NORMAL,
        reason=HandoffReason.AGENT_TOOK_OVER,
        subject=subject_from(new.subject or first.text),
        summary=first.text[:SUMMARY_CHARS],
        language=old.language,
        assignee_id=agent.id,
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    session.add(ticket)
    await session.flush()
    actor = agent.actor
    ledger.record(ticket, "status", None, TicketStatus.OPEN, actor=actor)
    ledger.record(ticket, "assignee", None, str(agent.id), actor=actor)
    return ticket
