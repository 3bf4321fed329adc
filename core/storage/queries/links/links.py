"""Reads how a ticket hangs together with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.links import LinkKind
from core.domain.ticket import TicketStatus
from core.storage.queries.access.sight import Sight
from core.storage.tables import Ticket, TicketLink

_DONE = (TicketStatus.SOLVED, TicketStatus.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link as one of its tickets sees it."""

    id: UUID
    side: str  # what the ticket is to the other: a `LinkKind`, or "has_" and one
    number: int  # of the other
    subject: str
    status: TicketStatus

    @property
    def is_open_part(self) -> bool:
        """Whether this is a part of the ticket that is not done."""
        return self.side == f"has_{LinkKind.CHILD}" and self.status not in _DONE

    @property
    def is_open_incident(self) -> bool:
        """Whether this is an incident of the ticket that is not done."""
        return self.side == f"has_{LinkKind.INCIDENT}" and self.status not in _DONE


async def linked_with(session: AsyncSession, ticket: TicketId, link: UUID) -> int | None:
    """Return the number of the ticket at the other end of a link; None where it has no such."""
    return await session.scalar(
        select(Ticket.number)
        .join(
            TicketLink,
            or_(
                (TicketLink.ticket_id == ticket) & (Ticket.id == TicketLink.other_id),
                (TicketLink.other_id == ticket) & (Ticket.id == TicketLink.ticket_id),
            ),
        )
        .where(TicketLink.id == link)
    )


async def links_of(
    session: AsyncSession, ticket: TicketId, sight: Sight | None = None
) -> Sequence[LinkView]:
    """Return the links of a ticket with others that `sight` holds, made first first."""
    rows = await session.execute(
        select(TicketLink, Ticket)
        .join(
            Ticket,
            or_(
                (TicketLink.ticket_id == ticket) & (Ticket.id == TicketLink.other_id),
                (TicketLink.other_id == ticket) & (Ticket.id == TicketLink.ticket_id),
            ),
        )
        .where(
            or_(TicketLink.ticket_id == ticket, TicketLink.other_id == ticket),
            true() if sight is None else sight.holds(),
        )
        .order_by(TicketLink.id)
    )
    return [
        LinkView(
            id=link.id,
            side=link.kind if link.ticket_id == ticket else f"has_{link.kind}",
            number=other.number,
            subject=other.subject,
            status=TicketStatus(other.status),
        )
        for link, other in rows
    ]
