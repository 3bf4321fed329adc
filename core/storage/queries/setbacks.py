"""Reads what the desk could not do by itself: by the clock, and about changes of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.tables import ReactionFailure, Setback, Ticket, TicketEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SetbackView:
    """One thing that raised."""

    work: str  # a `Chore`, a whole duty by its name, or a reactor
    ticket: int | None  # its number; none: it is about no one ticket
    error: str
    tries: int
    at: datetime  # last
    next_at: datetime | None  # it is tried again then; none: it is not


async def list_setbacks(
    session: AsyncSession, since: datetime, limit: int = 50
) -> Sequence[SetbackView]:
    """Return what waits after it raised, and what was left out since `since`, newest first."""
    waiting = await session.execute(
        select(Setback, Ticket.number)
        .outerjoin(Ticket, Ticket.id == Setback.item)
        .order_by(Setback.failed_at.desc())
        .limit(limit)
    )
    left_out = await session.execute(
        select(ReactionFailure, Ticket.number)
        .join(TicketEvent, TicketEvent.id == ReactionFailure.event_id)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(ReactionFailure.at > since)
        .order_by(ReactionFailure.at.desc())
        .limit(limit)
    )
    found = [
        SetbackView(
            work=row.chore,
            ticket=number,
            error=row.error,
            tries=row.tries,
            at=row.failed_at,
            next_at=row.next_at,
        )
        for row, number in waiting
    ]
    found += [
        SetbackView(
            work=row.reactor, ticket=number, error=row.error, tries=1, at=row.at, next_at=None
        )
        for row, number in left_out
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


async def count_setbacks(session: AsyncSession) -> int:
    """Return how many things wait after they raised."""
    return await session.scalar(select(func.count()).select_from(Setback)) or 0
