"""The history of tickets: how changes are added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId

# One statement however many there are, and whichever of their columns are empty.
_ADD = text(
    "INSERT INTO ticket_event (ticket_id, field, old, new, actor, reason, at, depth, by_program)"
    " SELECT ticket_id, field, old, new, actor, reason, at, depth, by_program"
    " FROM unnest(CAST(:tickets AS uuid[]), CAST(:fields AS text[]), CAST(:olds AS text[]),"
    " CAST(:news AS text[]), CAST(:actors AS text[]), CAST(:reasons AS text[]),"
    " CAST(:ats AS timestamptz[]), CAST(:depths AS smallint[]),"
    " CAST(:by_programs AS boolean[])) WITH ORDINALITY AS event"
    " (ticket_id, field, old, new, actor, reason, at, depth, by_program, place) ORDER BY place"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A change of a ticket that is to be in its history; see `TicketEvent`."""

    ticket: TicketId
    field: str
    old: str | None
    new: str | None
    actor: str
    reason: str | None
    at: datetime
    depth: int
    by_program: bool


async def add_events(session: AsyncSession, events: Sequence[NewEvent]) -> None:
    """Append changes to the histories of their tickets, in this order."""
    if not events:
        return
    await session.execute(
        _ADD,
        {
            "tickets": [event.ticket for event in events],
            "fields": [event.field for event in events],
            "olds": [event.old for event in events],
            "news": [event.new for event in events],
            "actors": [event.actor for event in events],
            "reasons": [event.reason for event in events],
            "ats": [event.at for event in events],
            "depths": [event.depth for event in events],
            "by_programs": [event.by_program for event in events],
        },
    )
