"""Says in one go which of the parts that few tickets have one has: only those are read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from sqlalchemy import ColumnElement, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ConversationId, TicketId
from core.storage.tables import (
    Asset,
    Conversation,
    HeldReply,
    ItemRequest,
    Participant,
    Satisfaction,
    Ticket,
    TicketEvent,
    TicketLink,
    TicketMerge,
    TicketWatcher,
)

_ticket: Any = bindparam("ticket")
_conversation: Any = bindparam("conversation")

_PARTS: dict[str, ColumnElement[bool]] = {
    "answer": exists().where(Satisfaction.ticket_id == _ticket, Satisfaction.score.is_not(None)),
    "request": exists().where(ItemRequest.ticket_id == _ticket),
    "held": exists().where(HeldReply.ticket_id == _ticket),
    "watchers": exists().where(TicketWatcher.ticket_id == _ticket),
    "links": or_(
        exists().where(TicketLink.ticket_id == _ticket),
        exists().where(TicketLink.other_id == _ticket),
    ),
    "merged": exists().where(TicketMerge.kept_id == _ticket, TicketMerge.undone_at.is_(None)),
    "merged_into": exists().where(
        TicketMerge.merged_id == _ticket, TicketMerge.undone_at.is_(None)
    ),
    "split": exists().where(TicketEvent.ticket_id == _ticket, TicketEvent.field == "split"),
    "later": exists().where(Ticket.conversation_id == _conversation, Ticket.id > _ticket),
    "sides": exists().where(Conversation.side_of == _conversation),
    "participants": exists().where(Participant.conversation_id == _conversation),
    "assets": exists(select(Asset.id)),
}
_STATEMENT = select(*(part.label(name) for name, part in _PARTS.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketParts:
    """Which parts there are of a ticket and its conversation."""

    answer: bool  # the requester's, to the survey
    request: bool  # for something of the catalogue
    held: bool  # replies that have not left
    watchers: bool
    links: bool
    merged: bool  # other tickets, into this one
    merged_into: bool
    split: bool  # off another ticket, or another off it
    later: bool  # tickets that began in its conversation after it
    sides: bool  # conversations beside its own
    participants: bool
    assets: bool  # any at all that the desk knows of

    @classmethod
    def none(cls) -> Self:
        """Return that there is no part, for want of a ticket."""
        return cls(**dict.fromkeys((field.name for field in fields(cls)), False))


async def parts_of_ticket(
    session: AsyncSession, ticket: TicketId, conversation: ConversationId
) -> TicketParts:
    """Return which parts there are of a ticket and of the conversation it came from."""
    row = (
        await session.execute(_STATEMENT, {"ticket": ticket, "conversation": conversation})
    ).one()
    return TicketParts(**row._mapping)
