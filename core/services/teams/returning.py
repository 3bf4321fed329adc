"""Puts tickets back in the queue whose agent does not come: shut out, or not there for too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement

from core.domain.ids import AgentId, TicketId
from core.domain.setbacks import Chore
from core.services.case import open_case
from core.services.ledger import Accounts, Ledger
from core.services.setbacks import Setbacks
from core.services.teams.assignment import OFFERED_AGAIN
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.teams.assignment import Patience, left_by_hand, orphaned
from core.storage.queries.teams.teams import assignment_policy
from core.storage.tables import Ticket

SHUT_OUT = "agent_disabled"
"""Reason why a ticket was taken from an agent who may not sign in any more."""

_AT_ONCE = 50
_LOOK_FOR_ABSENT = timedelta(seconds=15)


class Returning:
    """A duty: tickets that it puts back are shared out again, or told to their team.

    Those of teams that share out stay with an absent agent until somebody has room for them: that
    is the assignment's to see. Those of disabled agents go back whatever the team.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.RETURNING, now)
        self._looked_for_absent: datetime | None = None

    async def return_due(self) -> int:
        """Put back all that is due; return how many tickets were."""
        returned, last = 0, self._looked_for_absent
        async with storage_errors(), self._sessions() as session:
            found = await orphaned(session, _AT_ONCE, self._free)
        returned += await self._put_back(found, SHUT_OUT)
        if last is None or self._now() - last >= _LOOK_FOR_ABSENT:
            self._looked_for_absent = self._now()
            async with storage_errors(), self._sessions() as session:
                patience = Patience.of(await assignment_policy(session))
                found = await left_by_hand(session, self._now(), patience, _AT_ONCE, self._free)
            returned += await self._put_back(found, OFFERED_AGAIN)
        return returned

    @property
    def _free(self) -> ColumnElement[bool]:
        return self._setbacks.is_free(Ticket.id)

    async def _put_back(self, found: Sequence[tuple[TicketId, AgentId]], reason: str) -> int:
        returned = 0

        async def put_back(one: tuple[TicketId, AgentId]) -> None:
            nonlocal returned
            ticket, holder = one
            async with storage_errors(), self._sessions.begin() as session:
                ledger = Ledger(self._accounts, self._now(), depth=1)
                case = await open_case(session, ledger, ticket)
                if case.ticket.assignee_id != holder or case.is_done:
                    return
                case.release(actor="timer", reason=reason)
                case.changed()
                await ledger.write(session)
            returned += 1

        await self._setbacks.each(found, put_back, lambda one: one[0])
        return returned
