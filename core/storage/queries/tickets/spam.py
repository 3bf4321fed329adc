"""Reads what was taken for spam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.ids import ConversationId
from core.domain.ticket import ClosedAs
from core.storage.queries.access.sight import Sight
from core.storage.tables import (
    Account,
    Contact,
    ContactAddress,
    Conversation,
    Message,
    Ticket,
)

_SHOWN_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamView:
    """A conversation that is spam."""

    conversation: ConversationId
    ticket: int | None  # the number of the one that was marked; none: the sender was blocked
    account: str
    channel: str | None
    name: str | None
    address: str | None
    is_blocked: bool  # what they write from this address is spam
    subject: str | None
    last_words: str
    at: datetime  # of the last message

    @property
    def sender(self) -> str:
        """Return the sender's name, or their address."""
        return self.name or self.address or "?"


async def list_spam(
    session: AsyncSession,
    sight: Sight | None,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[SpamView]:
    """Return conversations that are spam and that `sight` holds, latest word first."""
    marked = (
        select(Ticket.number)
        .where(Ticket.conversation_id == Conversation.id, Ticket.closed_as == ClosedAs.SPAM)
        .order_by(Ticket.id.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    last = (
        select(func.left(Message.text, _SHOWN_CHARS))
        .where(Message.conversation_id == Conversation.id, Message.speaker == Speaker.CUSTOMER)
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    query = (
        select(Conversation, Contact.name, Account.channel, ContactAddress.blocked_at, marked, last)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .outerjoin(
            ContactAddress,
            (ContactAddress.account_id == Conversation.account_id)
            & (ContactAddress.address == Conversation.address),
        )
        .where(Conversation.is_spam)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    if sight is not None:
        query = query.where(sight.holds_conversation())
    if before is not None:
        query = query.where(tuple_(Conversation.last_message_at, Conversation.id) < before)
    return [
        SpamView(
            conversation=ConversationId(row.id),
            ticket=number,
            account=row.account_id,
            channel=channel,
            name=name,
            address=row.address,
            is_blocked=blocked_at is not None,
            subject=row.subject,
            last_words=words or "",
            at=row.last_message_at,
        )
        for row, name, channel, blocked_at, number, words in await session.execute(query)
    ]
