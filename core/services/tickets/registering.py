"""Registering a matter as a ticket without a conversation before it: by a program, or by hand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import HandoffReason, TicketKind
from core.domain.content import Body
from core.domain.conversation import Responder
from core.domain.events import Author, MessagePosted
from core.domain.ids import (
    AccountId,
    ContactId,
    ConversationId,
    EventKey,
    MessageId,
    ThreadKey,
    new_id,
)
from core.domain.ticket import CameBy, Priority
from core.services.case import Case
from core.services.ledger import Ledger
from core.services.locks import locked
from core.services.tickets.handoff import hand_off
from core.storage.feed import FeedKind
from core.storage.tables import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is to be registered, and for whom. The contact and their address are stored already."""

    account: AccountId
    contact: ContactId
    author: Author
    subject: str
    text: str
    reason: HandoffReason
    priority: Priority = Priority.NORMAL
    kind: TicketKind = TicketKind.INCIDENT
    language: str = "en"
    thread: ThreadKey | None = None  # where answers go; none: a thread that nobody else knows
    came_by: CameBy | None = None


async def register(session: AsyncSession, ledger: Ledger, matter: Matter, *, actor: str) -> Case:
    """Open a conversation that waits for a human, with its ticket; nobody is told.

    The caller writes `ledger`.
    """
    name = ConversationId(new_id())
    session.add(
        Conversation(
            id=name,
            account_id=matter.account,
            thread=matter.thread or str(name),
            is_current=True,
            contact_id=matter.contact,
            address=matter.author.address,
            responder=Responder.BOT,
            subject=matter.subject,
            language=matter.language,
            created_at=ledger.now,
            last_message_at=ledger.now,
        )
    )
    await session.flush()
    conversation = await locked(session, name)
    ledger.changed(conversation, FeedKind.CONVERSATION)
    message = report(ledger, conversation, matter.author, matter.text)
    await ledger.write(session)
    ticket = await hand_off(
        session,
        ledger,
        conversation,
        reason=matter.reason,
        priority=matter.priority,
        kind=matter.kind,
        summary=matter.text,
        subject=matter.subject,
        actor=actor,
        silent=True,
    )
    ticket.came_by = matter.came_by
    ledger.record_message(ticket, message, "customer", actor=actor)
    return Case(session, ledger, conversation, ticket)


def report(ledger: Ledger, conversation: Conversation, author: Author, text: str) -> MessageId:
    """Add what `author` says to the locked `conversation`; it starts no turn."""
    message = MessageId(new_id())
    event = MessagePosted(
        account=AccountId(conversation.account_id),
        key=EventKey(str(message)),
        thread=ThreadKey(conversation.thread),
        author=author,
        at=ledger.now,
        body=Body(text=text),
    )
    ledger.hear(conversation, event, message=message, position=conversation.last_seq + 1)
    return message
