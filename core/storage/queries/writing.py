"""Reads the replies of a ticket that have not left yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.storage.queries.tickets.tickets import Person
from core.storage.tables import AgentRow, HeldReply, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """A reply that can still be taken back, or that could not be sent any more."""

    id: UUID
    agent: Person
    text: str
    files: Sequence[str]  # their names
    then: str | None  # the ticket's status after it
    seconds_left: float
    refusal: str | None  # why it cannot be sent; None: it will be


async def held_in(session: AsyncSession, ticket: TicketId) -> Sequence[HeldView]:
    """Return the replies of a ticket that have not left yet, first what leaves first."""
    rows = (
        await session.execute(
            select(HeldReply, AgentRow)
            .join(AgentRow, AgentRow.id == HeldReply.agent_id)
            .where(HeldReply.ticket_id == ticket)
            .order_by(HeldReply.due_at, HeldReply.id)
        )
    ).all()
    wanted = [UUID(name) for row, _ in rows for name in row.files]
    names: dict[str, str] = {}
    if wanted:
        uploads = await session.execute(select(Upload.id, Upload.name).where(Upload.id.in_(wanted)))
        names = {str(upload): name for upload, name in uploads}
    now = datetime.now(UTC)
    return [
        HeldView(
            id=row.id,
            agent=Person(id=agent.id, name=agent.name, email=agent.email),
            text=row.text,
            files=[names[name] for name in row.files if name in names],
            then=row.then,
            seconds_left=round(max(0.0, (row.due_at - now).total_seconds()), 1),
            refusal=row.refusal,
        )
        for row, agent in rows
    ]
