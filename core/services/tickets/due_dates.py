"""Reminds of due dates before they come: a change of the ticket, which its holder is told of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select

from core.domain.ids import TicketId
from core.domain.setbacks import Chore
from core.services.case import open_case
from core.services.ledger import Accounts, Ledger
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Ticket

DUE_SOON = "due_soon"
"""The field of the change: its `new` is the due date."""

_ACTOR = "timer"
_AT_ONCE = 50


class DueDateSweep:
    """A duty: reminds of the due dates that come near."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.DUE_DATES, now)

    async def remind_due(self) -> int:
        """Remind where it is time; return of how many tickets."""
        now = self._now()
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(Ticket.id)
                .where(Ticket.due_remind_at <= now, self._setbacks.is_free(Ticket.id))
                .order_by(Ticket.due_remind_at)
                .limit(_AT_ONCE)
            )
            waiting = [TicketId(ticket) for ticket in due]
        await self._setbacks.each(waiting, self._remind)
        return len(waiting)

    async def _remind(self, ticket: TicketId) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            at = case.ticket.due_remind_at
            if at is None or at > case.ledger.now:
                return  # another worker was first, or the date was moved
            case.ticket.due_remind_at = None
            if case.is_done or case.ticket.due_at is None:
                return
            due = case.ticket.due_at.astimezone(UTC).isoformat()
            case.ledger.record(case.ticket, DUE_SOON, None, due, actor=_ACTOR)
            case.changed()
            await case.ledger.write(session)
