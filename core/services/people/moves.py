"""Gives an address that turns out to be somebody else's to them, with all that was said there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, false, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ContactId
from core.services.intake.order import Place
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.tables import Asset, Contact, ContactAddress, Conversation, Satisfaction, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An address that turns out to be somebody else's, with its conversations."""

    place: Place
    old: ContactId
    new: ContactId


def theirs(moves: Sequence[Move]) -> ColumnElement[bool]:
    """Return the condition that a conversation is one of the addresses that move."""
    return (
        # Nothing else of a conversation with somebody is indexed.
        Conversation.contact_id.in_({one.old for one in moves})
        & tuple_(Conversation.account_id, Conversation.address).in_([one.place for one in moves])
    )


async def move(
    session: AsyncSession,
    ledger: Ledger,
    moves: Sequence[Move],
    conversations: Collection[Conversation],
) -> None:
    """Give addresses with their conversations, all locked, to the contacts they belong to."""
    for one in moves:
        account, address = one.place
        moved = [c for c in conversations if (c.account_id, c.address) == one.place]
        for conversation in moved:
            conversation.contact_id = one.new
            ledger.changed(conversation, FeedKind.CONVERSATION)
        await session.flush()
        await session.execute(
            update(ContactAddress)
            .where(ContactAddress.account_id == account, ContactAddress.address == address)
            .values(contact_id=one.new)
        )
        # Who is making something theirs is waited for: what that is moves along.
        emptied = await session.scalar(
            select(Contact.id)
            .where(Contact.id == one.old, ~exists().where(ContactAddress.contact_id == Contact.id))
            .with_for_update()
        )
        its_own = [conversation.id for conversation in moved]
        await _give_what_is_theirs(session, one, its_own, has_more=emptied is None)
        if emptied is not None:
            await session.execute(
                delete(Contact).where(
                    Contact.id == emptied, ~exists().where(Conversation.contact_id == emptied)
                )
            )


async def _give_what_is_theirs(
    session: AsyncSession, one: Move, conversations: Collection[UUID], *, has_more: bool
) -> None:
    """Give what belongs to the moved conversations to who has these now.

    Of a contact that has no more addresses, what it has in others' threads or by itself too.
    """
    tickets = select(Ticket.id).where(Ticket.conversation_id.in_(conversations))
    owned: list[tuple[type[Ticket | Satisfaction | Asset], ColumnElement[bool]]] = [
        (Ticket, Ticket.conversation_id.in_(conversations)),
        (
            Satisfaction,
            Satisfaction.conversation_id.in_(conversations) | Satisfaction.ticket_id.in_(tickets),
        ),
        (Asset, false()),
    ]
    for table, is_of_moved in owned:
        await session.execute(
            update(table)
            .where(table.contact_id == one.old, is_of_moved if has_more else true())
            .values(contact_id=one.new)
        )
