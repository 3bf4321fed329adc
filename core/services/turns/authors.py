"""Who acts in a turn of the assistant, and what of theirs may be told where it is answered.

In a thread that several people write in, each acts in their own name, whoever began it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import TicketBrief
from core.domain.ids import AccountId, ContactId
from core.domain.ticket import TicketStatus
from core.ports import Channel
from core.services.conversations.privacy import is_private
from core.storage.tables import (
    Contact,
    ContactAddress,
    Conversation,
    Message,
    Participant,
    Ticket,
)

_MOST_TICKETS = 10  # that the assistant is told of


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who wrote what a turn answers, as far as somebody vouches for them."""

    contact: Contact | None  # None where nobody does
    is_shared: bool  # others read the answer too: nothing personal belongs in it
    is_requester: bool  # of the conversation

    @property
    def is_vouched(self) -> bool:
        """Whether something may be done in their name."""
        return self.contact is not None

    @property
    def id(self) -> ContactId | None:
        """The contact's name."""
        return None if self.contact is None else ContactId(self.contact.id)

    def sender(self, conversation: Conversation) -> str:
        """Return by which name the assistant remembers what it has said and asked.

        What one person is in the middle of, a form for instance, is nothing that another's words
        go on with.
        """
        own = f"{conversation.id}:{conversation.episode}"
        return own if self.is_requester or self.contact is None else f"{own}:{self.contact.id}"


async def acting_in(
    session: AsyncSession,
    channels: Mapping[AccountId, Channel],
    conversation: Conversation,
    messages: Sequence[Message],
) -> Acting:
    """Return who wrote `messages`, which a turn in `conversation` answers."""
    author, *more = {message.author or conversation.address for message in messages}
    others = exists().where(
        Participant.conversation_id == conversation.id,
        Participant.left_at.is_(None),
        Participant.address != author,
    )
    row = (
        await session.execute(
            select(Contact, others)
            .join(ContactAddress, ContactAddress.contact_id == Contact.id)
            .where(
                ContactAddress.account_id == conversation.account_id,
                ContactAddress.address == author,
            )
        )
    ).one_or_none()
    contact, has_others = (None, True) if row is None else row
    is_requester = contact is not None and contact.id == conversation.contact_id
    # What is known of a contact is told to nobody who may only claim to be that contact.
    if more or any(message.caution is not None for message in messages):
        contact = None
    is_read_by_one = is_private(channels, conversation.account_id, conversation.thread)
    return Acting(
        contact=contact,
        is_shared=not is_read_by_one or not is_requester or has_others,
        is_requester=is_requester,
    )


async def tickets_of(
    session: AsyncSession, conversation: Conversation, acting: Acting
) -> tuple[TicketBrief, ...]:
    """Return the tickets that the assistant may speak of: where others read too, those of here."""
    if acting.contact is None:
        return ()
    here: ColumnElement[bool] = Ticket.conversation_id.in_(
        select(Conversation.id).where(
            Conversation.account_id == conversation.account_id,
            Conversation.thread == conversation.thread,
        )
    )
    rows = await session.scalars(
        select(Ticket)
        .where(here if acting.is_shared else Ticket.contact_id == acting.contact.id)
        # Those that can still be added to before the closed ones.
        .order_by(Ticket.status == TicketStatus.CLOSED, Ticket.id.desc())
        .limit(_MOST_TICKETS)
    )
    return tuple(
        TicketBrief(
            number=ticket.number,
            status=ticket.status,
            subject=ticket.subject,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
        )
        for ticket in rows
    )
