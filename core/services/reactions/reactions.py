"""Shows every change of a ticket to each reactor, once and in order."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Origin
from core.domain.errors import StorageUnavailable
from core.domain.group_commit import GroupCommit
from core.domain.ids import ConversationId, TicketId
from core.services.case import Case, open_case, open_free_cases
from core.services.ledger import Accounts, Ledger
from core.services.locks import all_locked
from core.services.reactions.reactor import DEEPEST, Prepares, Reactor, TicketChange
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Account, ReactionFailure, Ticket, TicketEvent
from core.storage.wakeups import Lane, LaneKind, look_after, waiting

_LOGGER = logging.getLogger(__name__)
# Changes of a ticket in one transaction: what waits for its locks should not wait long.
_AT_ONCE = 8
_TOGETHER = 32  # conversations in one transaction

_DUE = (
    select(
        TicketEvent.id,
        TicketEvent.ticket_id,
        TicketEvent.field,
        TicketEvent.old,
        TicketEvent.new,
        TicketEvent.actor,
        TicketEvent.reason,
        TicketEvent.at,
        TicketEvent.depth,
        Ticket.conversation_id,
    )
    .join(Ticket, Ticket.id == TicketEvent.ticket_id)
    .where(
        Ticket.conversation_id == any_(bindparam("conversations", type_=ARRAY(Uuid()))),
        TicketEvent.reacted_at.is_(None),
    )
    .order_by(TicketEvent.id)
)
_REHEARSALS = select(Account.id).where(
    Account.id == any_(bindparam("accounts", type_=ARRAY(Text()))),
    Account.origin == Origin.REHEARSAL,
)
_REACTED = text(
    "UPDATE ticket_event SET reacted_at = :at WHERE id = ANY(CAST(:events AS bigint[]))"
)


_Due = dict[ConversationId, dict[TicketId, deque[TicketChange]]]
"""Changes that nothing has reacted to, in the order of history."""


class _Outcome(Enum):
    """What became of a conversation among others."""

    NOTHING = auto()  # nothing was due
    DONE = auto()  # nothing is due any more
    MORE = auto()  # there is more
    ALONE = auto()  # somebody is at work there, or something failed: it is to be done by itself


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
        takes_along: bool = False,
    ) -> None:
        """React with `reactors`, in their order: what an earlier one decides, a later one sees.

        `afterwards` is done when changes have been reacted to, outside of any transaction. With
        `takes_along`, conversations for which a wake-up waits are seen to with others.
        """
        self._sessions = sessions
        self._accounts = accounts
        self._reactors = reactors
        self._now = now
        self._afterwards = afterwards
        self._takes_along = takes_along
        self._rounds = GroupCommit(self._round, max_batch=_TOGETHER)

    async def advance(self, conversation: ConversationId) -> None:
        """React to every change in `conversation` that nothing has reacted to.

        Callers at the same time share transactions: what each costs by itself is more than what
        most changes do.
        """
        reacted = False
        while (outcome := await self._rounds.submit(conversation)) is not _Outcome.NOTHING:
            if outcome is _Outcome.ALONE:
                reacted = await self._alone(conversation) or reacted
                break
            reacted = True
            if outcome is _Outcome.DONE:
                break
        if reacted and self._afterwards is not None:
            await self._afterwards()

    async def _round(self, conversations: Sequence[ConversationId]) -> Sequence[_Outcome]:
        try:
            async with storage_errors(), self._sessions.begin() as session:
                outcomes = await self._react_together(session, list(dict.fromkeys(conversations)))
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whose it was is found out one by one
            _LOGGER.info(
                "changes of %d tickets are reacted to alone: %r", len(conversations), error
            )
            return [_Outcome.ALONE] * len(conversations)
        return [outcomes.get(one, _Outcome.ALONE) for one in conversations]

    async def _react_together(
        self, session: AsyncSession, conversations: list[ConversationId]
    ) -> Mapping[ConversationId, _Outcome]:
        """React to what is due in those of `conversations` that nobody else has locked."""
        asked = frozenset(conversations)
        if self._takes_along and len(conversations) < _TOGETHER:
            others = await waiting(session, LaneKind.REACTIONS, _TOGETHER - len(conversations))
            conversations += [other for other in others if other not in asked]
        held = await all_locked(session, conversations, skip_locked=True)
        due = await self._due(session, held)
        mains = {ticket: held[place] for place, tickets in due.items() for ticket in tickets}
        cases = await open_free_cases(session, Ledger(self._accounts, self._now()), mains)
        by_ticket = {TicketId(case.ticket.id): case for case in cases}
        await self._see_to(session, by_ticket, due)
        outcomes = {}
        for place in held:
            changes = due.get(place)
            if changes is None:
                outcomes[place] = _Outcome.NOTHING
            elif changes.keys() - by_ticket.keys():
                outcomes[place] = _Outcome.ALONE
            else:
                outcomes[place] = _Outcome.MORE if any(changes.values()) else _Outcome.DONE
        await look_after(
            session,
            [
                Lane(LaneKind.REACTIONS, place)
                for place, outcome in outcomes.items()
                if outcome in {_Outcome.NOTHING, _Outcome.DONE}
            ],
        )
        return {place: outcome for place, outcome in outcomes.items() if place in asked}

    async def _see_to(
        self, session: AsyncSession, cases: Mapping[TicketId, Case], due: _Due
    ) -> None:
        """Take what is due in `cases` out of `due` and react to it, to a bounded part of it.

        The first change of each ticket comes first, then the second of each: what was done about
        one is written before the next is looked at.
        """
        own = [
            Lane(LaneKind.REACTIONS, ConversationId(case.conversation.id))
            for case in cases.values()
        ]
        rehearsed = await _rehearsals(session, cases.values())
        reacted: set[int] = set()
        for _ in range(_AT_ONCE):
            heads = [
                (cases[ticket], changes.popleft())
                for tickets in due.values()
                for ticket, changes in tickets.items()
                if changes and ticket in cases
            ]
            if not heads:
                break
            ledgers: dict[int, Ledger] = {}
            shown: list[tuple[Case, TicketChange]] = []
            for locked, change in heads:
                depth = change.depth + 1
                ledger = ledgers.setdefault(depth, Ledger(self._accounts, self._now(), depth=depth))
                case = Case(session, ledger, locked.conversation, locked.ticket, locked.joined)
                reacted.add(change.id)
                if case.conversation.account_id in rehearsed:
                    continue
                if change.depth >= DEEPEST:
                    _end_of_echo(case, change)
                else:
                    shown.append((case, change))
            await self._show(session, shown)
            has_recorded = any(ledger.has_recorded for ledger in ledgers.values())
            for ledger in ledgers.values():
                # What the reactors changed is seen to here.
                await ledger.write(session, but_wake_not=own)
            if has_recorded:
                for place, tickets in (await self._due(session, due)).items():
                    for ticket, changes in tickets.items():
                        fresh = deque(one for one in changes if one.id not in reacted)
                        due[place][ticket] = fresh
        if reacted:
            await session.execute(_REACTED, {"at": self._now(), "events": list(reacted)})

    async def _due(self, session: AsyncSession, conversations: Collection[ConversationId]) -> _Due:
        if not conversations:
            return {}
        rows = await session.execute(_DUE, {"conversations": list(conversations)})
        due: _Due = {}
        for row in rows:
            tickets = due.setdefault(ConversationId(row.conversation_id), {})
            changes = tickets.setdefault(TicketId(row.ticket_id), deque())
            changes.append(_change_of(row))
        return due

    async def _show(
        self, session: AsyncSession, shown: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Show changes of different tickets to each reactor in turn."""
        if not shown:
            return
        prepared: list[object] = []  # held on to: a session forgets rows that nobody has
        for reactor in self._reactors:
            if isinstance(reactor, Prepares):
                prepared.append(await reactor.prepare(session, shown))
            for case, change in shown:
                await reactor.react(case, change)
            await session.flush()

    async def _alone(self, conversation: ConversationId) -> bool:
        """React to what is due one by one, so that what fails takes nothing else with it."""
        reacted = False
        while (due := await self._next(conversation)) is not None:
            ticket, event = due
            failures: dict[str, str] = {}
            while not await self._is_reacted_to(ticket, event, failures):
                pass
            reacted = True
        return reacted

    async def _next(self, conversation: ConversationId) -> tuple[TicketId, int] | None:
        async with storage_errors(), self._sessions() as session:
            rows = await session.execute(_DUE.limit(1), {"conversations": [conversation]})
            row = rows.one_or_none()
        return None if row is None else (TicketId(row.ticket_id), row.id)

    async def _is_reacted_to(self, ticket: TicketId, event: int, failures: dict[str, str]) -> bool:
        """React in one transaction, without `failures`; a reactor that fails joins them."""
        try:
            async with storage_errors(), self._sessions.begin() as session:
                case = await open_case(session, Ledger(self._accounts, self._now()), ticket)
                row = await session.get_one(TicketEvent, event, with_for_update=True)
                if row.reacted_at is None:  # else another worker was first
                    await self._react_alone(row, case, failures)
        except _Failed as failed:
            _LOGGER.exception("%s could not react to change %s", failed.reactor, event)
            failures[failed.reactor] = repr(failed.error)
            return False
        return True

    async def _react_alone(
        self, row: TicketEvent, locked: Case, failures: Mapping[str, str]
    ) -> None:
        session, change = locked.session, _change_of(row)
        ledger = Ledger(self._accounts, self._now(), depth=row.depth + 1)
        case = Case(session, ledger, locked.conversation, locked.ticket, locked.joined)
        row.reacted_at = ledger.now
        if not await _rehearsals(session, [case]):
            if change.depth >= DEEPEST:
                _end_of_echo(case, change)
            else:
                await self._show_alone(case, change, failures)
        for reactor, error in failures.items():
            _keep_failure(case, change, reactor, error)
        own = Lane(LaneKind.REACTIONS, ConversationId(case.conversation.id))
        await ledger.write(session, but_wake_not=[own])

    async def _show_alone(
        self, case: Case, change: TicketChange, failures: Mapping[str, str]
    ) -> None:
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


async def _rehearsals(session: AsyncSession, cases: Iterable[Case]) -> frozenset[str]:
    """Return the accounts of `cases` that are rehearsals: nobody is to be troubled with those."""
    accounts = list({case.conversation.account_id for case in cases})
    if not accounts:
        return frozenset()
    return frozenset(await session.scalars(_REHEARSALS, {"accounts": accounts}))


def _end_of_echo(case: Case, change: TicketChange) -> None:
    _keep_failure(case, change, "*", "something answers itself without an end")
    _LOGGER.error("ticket %s: too many reactions to reactions", case.ticket.id)


def _keep_failure(case: Case, change: TicketChange, reactor: str, error: str) -> None:
    case.session.add(ReactionFailure(event_id=change.id, reactor=reactor, error=error))


def _change_of(row: Any) -> TicketChange:
    """Return a row of `ticket_event`, or of `_DUE`, as reactors are shown it."""
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
