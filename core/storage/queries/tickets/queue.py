"""Reads the queue: tickets for agents to choose from, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import Stage
from core.domain.conversation import Speaker
from core.domain.ids import TicketId
from core.domain.views import Order
from core.storage.queries.tickets.filter import TicketFilter, conditions
from core.storage.queries.tickets.queue_order import QueuePlace
from core.storage.queries.tickets.queue_stretches import places_in_order
from core.storage.queries.tickets.tickets import TicketView, ticket_rows, view_of
from core.storage.tables import ApprovalRole, Conversation, ItemRequest, Message, Ticket

_IS_SAID = (
    Message.speaker.in_((Speaker.CUSTOMER, Speaker.AGENT)),
    Message.is_internal.is_(False),
    Message.removed_at.is_(None),
)

COUNTED = 1_000
"""Nobody looks through more: they are counted as "so many and more"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A ticket in a queue, with the last thing that a person said in it."""

    ticket: TicketView
    last_words: str
    is_unanswered: bool  # the requester spoke last
    last_at: datetime | None
    approvers: str | None = None  # the name of the role whose approval it waits for


async def queue(
    session: AsyncSession, wanted: TicketFilter, order: Order, limit: int = 100, offset: int = 0
) -> Sequence[QueueRow]:
    """Return the tickets that fit, for an agent to choose from."""
    places = await places_in_order(session, wanted, order, limit=offset + limit)
    return await _shown(session, wanted, [place.ticket for place in places[offset:]])


async def queue_part(
    session: AsyncSession,
    wanted: TicketFilter,
    order: Order,
    *,
    after: QueuePlace | None = None,
    limit: int = 100,
) -> tuple[Sequence[QueueRow], QueuePlace | None]:
    """Return the first tickets that fit `after` a place, and the place that more follow, if any."""
    places = await places_in_order(session, wanted, order, after=after, limit=limit + 1)
    shown = places[:limit]
    place = shown[-1] if len(places) > limit else None
    return await _shown(session, wanted, [one.ticket for one in shown]), place


# First which ones, then all about them. In one statement there would be more tables than the
# planner puts in order, and it would read everything about all tickets.
async def _shown(
    session: AsyncSession, wanted: TicketFilter, chosen: Sequence[TicketId]
) -> Sequence[QueueRow]:
    if not chosen:
        return []
    has_status = [Ticket.status.in_(wanted.statuses)]  # its clocks may still have run just now
    last = (
        select(Message.text, Message.speaker, Message.created_at)
        .where(Message.conversation_id == Ticket.conversation_id, *_IS_SAID)
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .lateral("last")
    )
    rows = await session.execute(
        ticket_rows()
        .add_columns(last.c.text, last.c.speaker, last.c.created_at)
        .outerjoin(last, literal(value=True))
        .where(Ticket.id.in_(chosen), *(has_status if wanted.statuses else ()))
    )
    read = {
        row.ticket.id: row
        for row in (
            QueueRow(
                ticket=view_of(view),
                last_words=words or "",
                is_unanswered=speaker == Speaker.CUSTOMER,
                last_at=at,
            )
            for *view, words, speaker, at in rows
        )
    }
    found = [read[ticket] for ticket in chosen if ticket in read]
    return await _with_approvers(session, await _with_merged(session, found))


async def _with_approvers(session: AsyncSession, found: Sequence[QueueRow]) -> Sequence[QueueRow]:
    """Return rows with whom they wait for, where that is somebody's approval."""
    rows = await session.execute(
        select(ItemRequest.ticket_id, ApprovalRole.name)
        .join(ApprovalRole, ApprovalRole.id == ItemRequest.role_id)
        .where(
            ItemRequest.ticket_id.in_([row.ticket.id for row in found]),
            ItemRequest.stage == Stage.APPROVAL,
        )
    )
    names = {ticket: name for ticket, name in rows}  # noqa: C416  # rows are no pairs to `dict`
    return [replace(row, approvers=names.get(row.ticket.id)) for row in found]


async def _with_merged(session: AsyncSession, found: Sequence[QueueRow]) -> Sequence[QueueRow]:
    """Return rows with the last words of merged tickets' conversations, where those are later."""
    said = (
        select(Message.text, Message.speaker, Message.created_at)
        .where(Message.conversation_id == Conversation.id, *_IS_SAID)
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .lateral("said")
    )
    rows = await session.execute(
        select(Conversation.merged_into, said.c.text, said.c.speaker, said.c.created_at)
        .join(said, literal(value=True))
        .where(Conversation.merged_into.in_([row.ticket.conversation for row in found]))
        .order_by(said.c.created_at)
    )
    last = {into: (words, speaker, at) for into, words, speaker, at in rows}
    together = []
    for row in found:
        words, speaker, at = last.get(row.ticket.conversation, (None, None, None))
        if at is not None and (row.last_at is None or at > row.last_at):
            is_unanswered = speaker == Speaker.CUSTOMER
            row = replace(row, last_words=words, is_unanswered=is_unanswered, last_at=at)
        together.append(row)
    return together


async def count_tickets(session: AsyncSession, wanted: TicketFilter) -> int:
    """Return how many tickets fit, `COUNTED` at most."""
    return (await counts_of(session, {"": wanted}))[""]


async def counts_of(session: AsyncSession, wanted: Mapping[str, TicketFilter]) -> dict[str, int]:
    """Return how many tickets fit each filter, `COUNTED` at most, in one go."""
    if not wanted:
        return {}
    each = [
        select(
            literal(name).label("name"),
            select(func.count())
            .select_from(
                select(literal(1))
                .select_from(Ticket)
                .where(*conditions(one))
                .limit(COUNTED)
                .subquery()
            )
            .scalar_subquery()
            .label("count"),
        )
        for name, one in wanted.items()
    ]
    rows = await session.execute(union_all(*each))
    return {name: count for name, count in rows}  # noqa: C416  # rows are no pairs to `dict`
