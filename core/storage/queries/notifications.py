"""Reads tickets that came to a queue of whose coming its agents were not told yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.teams import Strategy
from core.storage.queries.teams.teams import OPEN
from core.storage.tables import Conversation, Team, Ticket, TicketEvent, TicketRouting

_FIELDS = ("status", "assignee", "team", "level", "escalated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A ticket that nobody has, and what brought it to its queue."""

    row: TicketRouting  # locked
    ticket: TicketId
    team: UUID | None
    strategy: Strategy  # the team's
    level: int
    account: str
    thread: str
    conversation: UUID
    fields: Collection[str]  # what changed when it came there
    by: str  # the actor


async def untold_tickets(
    session: AsyncSession, patience: datetime, limit: int, is_free: ColumnElement[bool]
) -> Sequence[Untold]:
    """Lock and return what is to be told, oldest first, where `is_free` holds.

    Tickets of teams that share theirs out are among them where they wait since before `patience`.
    The tickets are locked too, so that whoever is told of one has that notice before it can be
    taken and the notice be over. Those that somebody works on right now are left for the next time.
    """
    since = TicketRouting.untold_since
    rows = (
        await session.execute(
            select(TicketRouting, Ticket, Conversation, Team.strategy)
            .join(Ticket, Ticket.id == TicketRouting.ticket_id)
            .join(Conversation, Conversation.id == Ticket.conversation_id)
            .outerjoin(Team, Team.id == Ticket.team_id)
            .where(
                since.is_not(None),
                Ticket.assignee_id.is_(None),  # else what clears it is on its way
                Ticket.status.in_(OPEN),
                is_free,
                or_(Team.id.is_(None), Team.strategy == Strategy.MANUAL, since < patience),
            )
            .order_by(since)
            .limit(limit)
            .with_for_update(of=(Ticket, TicketRouting), skip_locked=True)
        )
    ).all()
    if not rows:
        return ()
    events: dict[UUID, list[TicketEvent]] = {}
    for event in await session.scalars(
        select(TicketEvent)
        .where(
            or_(
                *(
                    and_(TicketEvent.ticket_id == row.ticket_id, TicketEvent.at == row.untold_since)
                    for row, *_ in rows
                )
            ),
            TicketEvent.field.in_(_FIELDS),
        )
        .order_by(TicketEvent.id)
    ):
        events.setdefault(event.ticket_id, []).append(event)
    return [
        Untold(
            row=row,
            ticket=TicketId(ticket.id),
            team=ticket.team_id,
            strategy=Strategy(strategy or Strategy.MANUAL),
            level=ticket.level,
            account=conversation.account_id,
            thread=conversation.thread,
            conversation=conversation.id,
            fields={event.field for event in events.get(ticket.id, ())},
            by=events[ticket.id][-1].actor if ticket.id in events else "timer",
        )
        for row, ticket, conversation, strategy in rows
    ]
