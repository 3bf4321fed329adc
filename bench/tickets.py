"""Conversations, and tickets opened in them the way a hand-off opens one."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import HandoffReason
from core.domain.channel import Capabilities
from core.domain.ids import AccountId, ConversationId, TicketId, new_id
from core.domain.ticket import Priority
from core.services.ledger import Ledger
from core.services.tickets.handoff import hand_off
from core.storage.engine import Sessions
from core.storage.tables import Contact, Conversation

_ACCOUNT = AccountId("webchat")
ACCOUNTS = {_ACCOUNT: Capabilities(reads_store=True)}
"""What the one account of a measurement can do."""


async def conversations(session: AsyncSession, count: int) -> list[ConversationId]:
    """Make `count` conversations, each with a requester of its own."""
    now = datetime.now(UTC)
    made: list[ConversationId] = []
    contacts = [Contact(id=new_id(), name=f"Requester {n}") for n in range(count)]
    session.add_all(contacts)
    await session.flush()
    for n, contact in enumerate(contacts):
        conversation = new_id()
        session.add(
            Conversation(
                id=conversation,
                account_id=_ACCOUNT,
                thread=f"t{n}",
                contact_id=contact.id,
                responder="bot",
                language=("en", "es")[n % 2],
                last_message_at=now,
            )
        )
        made.append(ConversationId(conversation))
    await session.flush()
    return made


async def open_ticket(
    sessions: Sessions,
    conversation: ConversationId,
    *,
    subject: str,
    priority: Priority = Priority.NORMAL,
) -> TicketId:
    """Open a ticket in `conversation`, in a transaction of its own."""
    async with sessions.begin() as session:
        row = await session.get_one(Conversation, conversation, with_for_update=True)
        ledger = Ledger(ACCOUNTS, datetime.now(UTC))
        ticket = await hand_off(
            session,
            ledger,
            row,
            reason=HandoffReason.ASKED_FOR_HUMAN,
            priority=priority,
            subject=subject,
        )
        await ledger.write(session)
        return TicketId(ticket.id)
