"""Shows every change of a ticket to each reactor, once and in order."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from core.domain.account import Origin
from core.domain.errors import StorageUnavailable
from core.domain.ids import ConversationId, TicketId
from core.services.case import Case, open_case
from core.services.ledger import Accounts, Ledger
from core.services.reactions.reactor import Reactor, TicketChange
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Account, ReactionFailure, Ticket, TicketEvent
from core.storage.wakeups import Lane, LaneKind

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 8  # changes in one transaction: what waits for its locks should not wait long
DEEPEST = 16
"""Reactions to reactions stop here: something answers itself."""


class _Failed(Exception):
    """A reactor raised; the transaction is to be done again without it."""

    def __init__(self, reactor: str, error: Exception) -> None:
        super().__init__(reactor)
        self.reactor, self.error = reactor, error


class Reactions:
    """The `reactions` lane's work."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        reactors: Sequence[Reactor],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        afterwards: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """React with `reactors`, in their order: what an earlier one decides, a later one sees.

        `afterwards` is done when changes have been reacted to, outside of any transaction.
        """
        self._sessions = sessions
        self._accounts = accounts
        self._reactors = reactors
        self._now = now
        self._afterwards = afterwards

    async def advance(self, conversation: ConversationId) -> None:
        """React to every change in `conversation` that nothing has reacted to."""
        reacted = False
        while (waiting := await self._next(conversation)) is not None:
            ticket, event = waiting
            try:
                while await self._react_to_next(ticket):
                    pass
            except _Failed:
                # Alone, so that what fails takes nothing else with it.
                await self._react(ticket, event)
            reacted = True
        if reacted and self._afterwards is not None:
            await self._afterwards()

    async def _next(self, conversation: ConversationId) -> tuple[TicketId, int] | None:
        async with storage_errors(), self._sessions() as session:
            row = (
                await session.execute(
                    select(TicketEvent.ticket_id, TicketEvent.id)
                    .join(Ticket, Ticket.id == TicketEvent.ticket_id)
                    .where(Ticket.conversation_id == conversation, TicketEvent.reacted_at.is_(None))
                    .order_by(TicketEvent.id)
                    .limit(1)
                )
            ).one_or_none()
        return None if row is None else (TicketId(row.ticket_id), row.id)

    async def _react(self, ticket: TicketId, event: int) -> None:
        failures: dict[str, str] = {}
        while True:
            try:
                await self._react_once(ticket, event, failures)
            except _Failed as failed:
                _LOGGER.exception("%s could not react to change %s", failed.reactor, event)
                failures[failed.reactor] = repr(failed.error)
            else:
                return

    async def _react_to_next(self, ticket: TicketId) -> bool:
        """React to the next changes of `ticket`, several in one transaction.

        Say whether there may be more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            rehearsed = await _is_rehearsed(case)
            left = _AT_ONCE
            while left:
                rows = (
                    await session.scalars(
                        select(TicketEvent)
                        .where(TicketEvent.ticket_id == ticket, TicketEvent.reacted_at.is_(None))
                        .order_by(TicketEvent.id)
                        .limit(left)
                        .with_for_update()
                    )
                ).all()
                if not rows:
                    return False
                for row in rows:
                    await self._react_to(row, case, {}, is_rehearsed=rehearsed)
                left -= len(rows)
            return True

    async def _react_once(self, ticket: TicketId, event: int, failures: dict[str, str]) -> None:
        """React in one transaction, without the reactors that have failed."""
        async with storage_errors(), self._sessions.begin() as session:
            case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
            row = await session.get_one(TicketEvent, event, with_for_update=True)
            if row.reacted_at is None:  # else another worker was first
                await self._react_to(row, case, failures, is_rehearsed=await _is_rehearsed(case))

    async def _react_to(
        self, row: TicketEvent, locked: Case, failures: dict[str, str], *, is_rehearsed: bool
    ) -> None:
        session = locked.session
        ledger = Ledger(self._accounts, self._now(), depth=row.depth + 1)
        case = Case(session, ledger, locked.conversation, locked.ticket, locked.joined)
        row.reacted_at = ledger.now
        if row.depth >= DEEPEST:
            failures.setdefault("*", "something answers itself without an end")
            _LOGGER.error("ticket %s: too many reactions to reactions", row.ticket_id)
        elif not is_rehearsed:
            await self._show(case, _change_of(row), failures)
        for reactor, error in failures.items():
            session.add(ReactionFailure(event_id=row.id, reactor=reactor, error=error))
        own = Lane(LaneKind.REACTIONS, ConversationId(locked.conversation.id))
        # What the reactors changed is seen to by this very lane, which goes on until nothing waits.
        await ledger.write(session, but_wake_not=own)

    async def _show(self, case: Case, change: TicketChange, failures: dict[str, str]) -> None:
        for reactor in self._reactors:
            if reactor.name in failures:
                continue
            try:
                async with storage_errors():
                    await reactor.react(case, change)
                    await case.session.flush()
            except StorageUnavailable:
                raise
            except Exception as error:
                raise _Failed(reactor.name, error) from error


async def _is_rehearsed(case: Case) -> bool:
    """Say whether nobody is to be troubled with this ticket."""
    origin = await case.session.scalar(
        select(Account.origin).where(Account.id == case.conversation.account_id)
    )
    return origin == Origin.REHEARSAL


def _change_of(row: TicketEvent) -> TicketChange:
    return TicketChange(
        id=row.id,
        field=row.field,
        old=row.old,
        new=row.new,
        actor=row.actor,
        reason=row.reason,
        at=row.at,
        depth=row.depth,
    )
