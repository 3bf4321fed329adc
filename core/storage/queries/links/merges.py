"""Reads which tickets were made one, and what is said in all their conversations together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.errors import NotFound
from core.domain.ids import ConversationId, MessageId, TicketId
from core.domain.undoing import UNDONE_WITHIN
from core.storage.queries.conversations.conversations import ConversationView, conversation_view
from core.storage.queries.conversations.messages import MessageView, message_view, messages_by_time
from core.storage.tables import Message, Ticket, TicketMerge


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTicket:
    """A ticket that goes on in another one, and the conversation that came with it."""

    ticket: TicketId
    number: int
    subject: str
    conversation: ConversationView
    at: datetime
    last_seq: int | None  # of its messages that belong here; none: all, and what is still to come

    @property
    def goes_on(self) -> bool:
        """Whether what is said in its conversation arrives here, and it can be answered there."""
        return self.last_seq is None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedInto:
    """Where a merged ticket goes on."""

    number: int
    at: datetime
    is_over: bool  # its requester wrote after that one had ended

    def can_be_undone(self, now: datetime) -> bool:
        """Say whether the two can still be parted."""
        return not self.is_over and now - self.at <= UNDONE_WITHIN


async def merged_tickets(session: AsyncSession, ticket: TicketId) -> Sequence[MergedTicket]:
    """Return what was merged into a ticket, over others too, first merged first."""
    found: list[MergedTicket] = []
    level = [ticket]
    while level:
        rows = (
            await session.execute(
                select(TicketMerge, Ticket.number, Ticket.subject)
                .join(Ticket, Ticket.id == TicketMerge.merged_id)
                .where(TicketMerge.kept_id.in_(level), TicketMerge.undone_at.is_(None))
                .order_by(TicketMerge.at, TicketMerge.id)
            )
        ).all()
        for row, number, subject in rows:
            conversation = await conversation_view(session, ConversationId(row.conversation_id))
            found.append(
                MergedTicket(
                    ticket=TicketId(row.merged_id),
                    number=number,
                    subject=subject,
                    conversation=conversation,
                    at=row.at,
                    last_seq=row.last_seq if row.ended_at is not None else None,
                )
            )
        level = [TicketId(row.merged_id) for row, _, _ in rows]
    return sorted(found, key=lambda one: one.at)


def _beneath() -> Select[UUID, UUID]:
    over = (
        select(
            TicketMerge.kept_id.label("root"),
            TicketMerge.merged_id,
            TicketMerge.conversation_id,
            TicketMerge.ended_at,
        )
        .where(
            TicketMerge.kept_id.in_(bindparam("tickets", expanding=True)),
            TicketMerge.undone_at.is_(None),
        )
        .cte("over", recursive=True)
    )
    over = over.union(
        select(
            over.c.root, TicketMerge.merged_id, TicketMerge.conversation_id, TicketMerge.ended_at
        )
        .join(over, TicketMerge.kept_id == over.c.merged_id)
        .where(TicketMerge.undone_at.is_(None))
    )
    return select(over.c.root, over.c.conversation_id).where(over.c.ended_at.is_(None))


_BENEATH = _beneath()  # made once: it is asked for twice whenever a ticket is worked on


async def beneath(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, frozenset[ConversationId]]:
    """Return, by ticket, the conversations that came with what was merged into it, over others too.

    Those whose requesters have gone on by themselves since are left out. A conversation's
    `merged_into` alone does not tell: it names a conversation, in which another ticket may have
    begun since.
    """
    rows = await session.execute(_BENEATH, {"tickets": list(tickets)})
    found: dict[TicketId, set[ConversationId]] = {ticket: set() for ticket in tickets}
    for root, conversation in rows:
        found[TicketId(root)].add(ConversationId(conversation))
    return {ticket: frozenset(conversations) for ticket, conversations in found.items()}


async def ticket_above(session: AsyncSession, conversation: UUID) -> TicketId | None:
    """Return the ticket in which a merged conversation goes on, at the end of all merges.

    None where it is not merged, or its requester has gone on by themselves since.
    """
    kept = await session.scalar(
        select(TicketMerge.kept_id).where(
            TicketMerge.conversation_id == conversation,
            TicketMerge.undone_at.is_(None),
            TicketMerge.ended_at.is_(None),
        )
    )
    return None if kept is None else await last_in_line(session, TicketId(kept))


async def last_in_line(session: AsyncSession, ticket: TicketId) -> TicketId:
    """Return the ticket that one was merged into, over others too; itself where it was not."""
    while kept := await session.scalar(
        select(TicketMerge.kept_id).where(
            TicketMerge.merged_id == ticket, TicketMerge.undone_at.is_(None)
        )
    ):
        ticket = TicketId(kept)
    return ticket


async def merged_into(session: AsyncSession, ticket: TicketId) -> MergedInto | None:
    """Return where a ticket goes on that was merged; None where it was not."""
    row = (
        await session.execute(
            select(Ticket.number, TicketMerge.at, TicketMerge.ended_at)
            .join(Ticket, Ticket.id == TicketMerge.kept_id)
            .where(TicketMerge.merged_id == ticket, TicketMerge.undone_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    number, at, ended_at = row
    return MergedInto(number=number, at=at, is_over=ended_at is not None)


async def said_together(
    session: AsyncSession,
    conversation: ConversationId,
    merged: Sequence[MergedTicket],
    *,
    limit: int,
    until: ColumnElement[bool] | None = None,
) -> Sequence[MessageView]:
    """Return what was said in a conversation and in those merged into it, the latest first.

    `until` limits what is read of the conversation itself (see `said_of`).

    Across conversations it is in the order in which the desk heard of it.
    """
    places = [
        Message.conversation_id == one.conversation.id
        if one.last_seq is None
        else and_(Message.conversation_id == one.conversation.id, Message.seq <= one.last_seq)
        for one in merged
    ]
    own = Message.conversation_id == conversation
    if until is not None:
        own &= until
    return await messages_by_time(session, or_(own, *places), limit=limit)


async def last_spoken_in(
    session: AsyncSession, conversations: Sequence[ConversationId]
) -> ConversationId | None:
    """Return in which of these conversations a requester wrote last."""
    found = await session.scalar(
        select(Message.conversation_id)
        .where(
            Message.conversation_id.in_(conversations),
            Message.speaker == Speaker.CUSTOMER,
            Message.is_automatic.is_(False),
        )
        .order_by(Message.created_at.desc(), Message.seq.desc())
        .limit(1)
    )
    return None if found is None else ConversationId(found)


async def message_of_ticket(
    session: AsyncSession, ticket: TicketId, message: MessageId
) -> MessageView:
    """Return a message of a ticket's conversation, or of one that was merged into it.

    Raises:
        NotFound: there is none.
    """
    main = select(Ticket.conversation_id).where(Ticket.id == ticket).scalar_subquery()
    joined = (await beneath(session, [ticket]))[ticket]
    place = await session.scalar(
        select(Message.conversation_id).where(
            Message.id == message,
            or_(Message.conversation_id == main, Message.conversation_id.in_(joined)),
        )
    )
    if place is None:
        raise NotFound("there is no such message")
    return await message_view(session, ConversationId(place), message)
