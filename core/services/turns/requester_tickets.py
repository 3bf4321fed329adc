"""What a requester may know of their own tickets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from core.domain.assistant import TicketBrief
from core.domain.ids import AccountId, Address
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import ContactAddress, Ticket


class TicketsOfRequesters:
    """Implements `core.ports.RequesterTickets`."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        """See `core.ports.RequesterTickets.tickets_of`."""
        async with storage_errors(), self._sessions() as session:
            rows = await session.scalars(
                select(Ticket)
                .join(ContactAddress, ContactAddress.contact_id == Ticket.contact_id)
                .where(ContactAddress.account_id == account, ContactAddress.address == address)
                .order_by(Ticket.id.desc())
                .limit(limit)
            )
            return [
                TicketBrief(
                    number=ticket.number,
                    status=ticket.status,
                    subject=ticket.subject,
                    created_at=ticket.created_at,
                    updated_at=ticket.updated_at,
                )
                for ticket in rows
            ]
