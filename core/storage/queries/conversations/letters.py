"""Reads what agents have to know of letters: where they came back from, and their sources."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import RecipientOutcome
from core.domain.errors import NotFound
from core.domain.ids import MessageId, TicketId
from core.storage.tables import ContactAddress, InboundEvent, Ticket, TicketEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """How a ticket came to be a part of another."""

    of: TicketId
    number: int  # of that ticket
    first: MessageId  # what it began with
    at: datetime


async def split_off(session: AsyncSession, ticket: TicketId) -> SplitOff | None:
    """Return from which ticket a ticket was split off; None where it was not."""
    rows = await session.execute(
        select(Ticket.number, TicketEvent.new, TicketEvent.old, TicketEvent.at)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(TicketEvent.ticket_id == ticket, TicketEvent.field == "split")
        .order_by(TicketEvent.id)
    )
    for number, other, first, at in rows:
        assert other is not None
        assert first is not None
        # Both tickets keep the split; the one that was there before has the lower number.
        if int(other) < number:
            of = (await session.scalars(select(Ticket.id).where(Ticket.number == int(other)))).one()
            return SplitOff(of=TicketId(of), number=int(other), first=MessageId(UUID(first)), at=at)
    return None


async def bounces_of(
    session: AsyncSession, account: str, addresses: Collection[str]
) -> dict[str, RecipientOutcome]:
    """Return which of these addresses came back last time, and whether for good."""
    if not addresses:
        return {}
    rows = await session.execute(
        select(ContactAddress.address, ContactAddress.bounce).where(
            ContactAddress.account_id == account, ContactAddress.address.in_(addresses)
        )
    )
    return {address: RecipientOutcome(bounce) for address, bounce in rows if bounce is not None}


async def sourced(session: AsyncSession, messages: Collection[MessageId]) -> frozenset[UUID]:
    """Return of which of these messages the payload was kept."""
    if not messages:
        return frozenset()
    rows = await session.scalars(
        select(InboundEvent.message_id).where(
            InboundEvent.message_id.in_(messages), InboundEvent.raw_blob.is_not(None)
        )
    )
    return frozenset(rows)


async def source_of(session: AsyncSession, message: MessageId) -> str:
    """Return where the payload that made a message is kept: "<blob key>#<line>".

    Raises:
        NotFound: there is no such message, or its payload was not kept.
    """
    kept = await session.scalar(
        select(InboundEvent.raw_blob).where(
            InboundEvent.message_id == message, InboundEvent.raw_blob.is_not(None)
        )
    )
    if kept is None:
        raise NotFound("the payload of this message was not kept")
    return kept
