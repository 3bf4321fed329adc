"""Reads what agents have to know of letters: where they came back from, and their sources."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import RecipientOutcome
from core.domain.errors import NotFound
from core.domain.ids import MessageId
from core.storage.tables import ContactAddress, InboundEvent


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
