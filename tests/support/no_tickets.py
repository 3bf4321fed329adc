"""Nobody's tickets, for tests of channels that never show any."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.assistant import TicketBrief
from core.domain.ids import AccountId, Address


class NoTickets:
    """Keeps the promise of `core.ports.RequesterTickets` for a desk without tickets."""

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        return ()
