"""Keeps every ticket's clocks: after each change, when one runs out, and when a rule changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.setbacks import Chore
from core.domain.sla.clocks import Clock, Moment, clocks_of, time_in, working_spans
from core.domain.sla.policy import ClockKind, Policy
from core.domain.ticket import RANK, Priority, TicketStatus
from core.services.case import Case, open_unlocked_cases
from core.services.ledger import Accounts, Ledger
from core.services.reactions import TicketChange
from core.services.setbacks import Setbacks
from core.services.sla.closing import plan_end
from core.services.sla.histories import (
    ONE_OF_TICKETS,
    WorkedOut,
    asked_at,
    facts_of,
    history_of,
    moments_of,
)
from core.services.sla.hours_notice import tell_hours
from core.services.sla.rules import PromiseBook, current_revision
from core.services.tickets.answering import is_unasked
from core.storage.beforehand import Beforehand
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import SlaClock, SlaTicket

WARNING, BREACH = "sla_warning", "sla_breach"
"""Fields of the ticket's history that say that a clock runs out, and that it has run out; `new` is
the kind of clock."""

_ACTOR = "timer"
_BATCH = 100  # tickets, locked together for a tenth of a second
_ClockKey = tuple[str, int]
_RELEVANT = frozenset(
    {"status", "message", "priority", "category", "team", "organisation", "channel", "kind"}
)
_ROWS = select(SlaTicket).where(SlaTicket.ticket_id == ONE_OF_TICKETS)
_CLOCKS = select(SlaClock).where(SlaClock.ticket_id == ONE_OF_TICKETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What is kept of a ticket by the clock."""

    row: SlaTicket | None  # none: it has not been seen yet
    asked_at: datetime
    moments: Sequence[Moment]
    clocks: Sequence[SlaClock]


class ClocksOfTickets:
    """The reactor that works a ticket's clocks out again after each change that may move them."""

    name = "sla"

    def __init__(self, solved_grace: timedelta, book: PromiseBook | None = None) -> None:
        self._solved_grace = solved_grace
        self._book = book or PromiseBook()
        self._pasts = Beforehand(_pasts)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Read the histories of the tickets whose clocks may move, and their clocks."""
        await self.read(session, [case for case, change in changes if _may_move(change)])

    async def read(self, session: AsyncSession, cases: Collection[Case]) -> None:
        """Read in one go what `work_out` needs of several tickets."""
        await self._pasts.read(session, {TicketId(case.ticket.id) for case in cases})

    async def react(self, case: Case, change: TicketChange) -> None:
        """Work out the clocks; tell a requester who wrote outside hours when somebody is there."""
        if _may_move(change):
            worked = await self.work_out(case)
            await tell_hours(case, change, worked)

    async def work_out(self, case: Case) -> WorkedOut:
        """Write how the clocks of a ticket stand now; record warnings and breaches."""
        session, ticket, now = case.session, case.ticket, case.ledger.now
        rules = await self._book.current(session)
        policy = rules.policy_for(await facts_of(case, rules))
        hours = rules.hours_of(policy)
        past = await self._pasts.take(session, TicketId(ticket.id))
        row = past.row
        if row is None:
            row = SlaTicket(ticket_id=ticket.id, asked_at=past.asked_at)
            session.add(row)
        history = history_of(ticket, past.asked_at, past.moments)
        row.policy_id = None if policy is None else policy.id
        row.assistant_seconds = _seconds(hours.between(history.asked_at, history.opened_at))
        row.work_seconds = _seconds(time_in(hours, working_spans(history), now))
        row.revision = None if ticket.status == TicketStatus.CLOSED else rules.revision
        plan_end(row, ticket, history, hours, rules.closing, self._solved_grace)
        clocks = [] if policy is None else clocks_of(_kept_to(case, policy), hours, history, now)
        await _keep(case, policy, clocks, past.clocks)
        return WorkedOut(row=row, policy=policy, hours=hours, history=history)


class ClockSweep:
    """What is due by the clock: warnings, breaches, and tickets whose rules have changed."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        clocks: ClocksOfTickets,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._clocks = clocks
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.PROMISES, now)

    async def note_due(self) -> int:
        """Record warnings and breaches that are due; return of how many tickets."""
        now = self._now()
        async with storage_errors(), self._sessions() as session:
            due = await session.scalars(
                select(SlaClock.ticket_id)
                .where(
                    or_(
                        (SlaClock.warn_at <= now) & SlaClock.warned_at.is_(None),
                        (SlaClock.due_at < now) & SlaClock.breached_at.is_(None),
                    ),
                    self._setbacks.is_free(SlaClock.ticket_id),
                )
                .limit(_BATCH)
            )
            tickets = list(dict.fromkeys(TicketId(row) for row in due))
        return await self._setbacks.together(tickets, self._work_out)

    async def apply_new_rules(self) -> int:
        """Work out tickets anew whose rules have changed; return how many that were."""
        async with storage_errors(), self._sessions() as session:
            revision = await current_revision(session)
            stale = await session.scalars(
                select(SlaTicket.ticket_id)
                .where(SlaTicket.revision < revision, self._setbacks.is_free(SlaTicket.ticket_id))
                .limit(_BATCH)
            )
            tickets = [TicketId(row) for row in stale]
        work_out = partial(self._work_out, older_than=revision)
        return await self._setbacks.together(tickets, work_out)

    async def _work_out(self, tickets: Sequence[TicketId], older_than: int | None = None) -> int:
        """Work out tickets in one transaction; return how many.

        Those that somebody is at work in are left for the next look.
        """
        if not tickets:
            return 0
        async with storage_errors(), self._sessions.begin() as session:
            ledger = Ledger(self._accounts, self._now())
            cases = await open_unlocked_cases(session, ledger, tickets)
            if older_than is not None:
                # Another worker may have been first, before they were locked.
                stale = await session.scalars(
                    select(SlaTicket.ticket_id).where(
                        SlaTicket.ticket_id.in_([case.ticket.id for case in cases]),
                        SlaTicket.revision < older_than,
                    )
                )
                names = frozenset(stale)
                cases = [case for case in cases if case.ticket.id in names]
            await self._clocks.read(session, cases)
            for case in cases:
                await self._clocks.work_out(case)
            await ledger.write(session)
            return len(cases)


async def recount_progress(session: AsyncSession) -> tuple[int, int]:
    """Return how many unclosed tickets follow the rules in force, and how many there are."""
    revision = await current_revision(session)
    row = (
        await session.execute(
            select(func.count().filter(SlaTicket.revision >= revision), func.count()).where(
                SlaTicket.revision.is_not(None)
            )
        )
    ).one()
    return row[0], row[1]


async def _pasts(session: AsyncSession, tickets: Collection[TicketId]) -> Mapping[TicketId, _Past]:
    given = {"tickets": list(tickets)}
    rows = {TicketId(row.ticket_id): row for row in await session.scalars(_ROWS, given)}
    asked = await asked_at(session, [ticket for ticket in tickets if ticket not in rows])
    moments = await moments_of(session, tickets)
    clocks: dict[TicketId, list[SlaClock]] = {ticket: [] for ticket in tickets}
    for clock in await session.scalars(_CLOCKS, given):
        clocks[TicketId(clock.ticket_id)].append(clock)
    found = {}
    for ticket in tickets:
        row = rows.get(ticket)
        found[ticket] = _Past(
            row=row,
            asked_at=asked[ticket] if row is None else row.asked_at,
            moments=moments[ticket],
            clocks=clocks[ticket],
        )
    return found


def _kept_to(case: Case, policy: Policy) -> Policy:
    """Return what `policy` promises of a ticket; nobody waits for answers that nobody can get."""
    if not is_unasked(case.ticket.kind, case.conversation.account_id):
        return policy
    solution = ClockKind.RESOLUTION
    targets = {kind: target for kind, target in policy.targets.items() if kind == solution}
    return replace(policy, targets=targets)


def _may_move(change: TicketChange) -> bool:
    return change.field in _RELEVANT and change.reason != "note"


async def _keep(
    case: Case, policy: Policy | None, clocks: Sequence[Clock], before: Sequence[SlaClock]
) -> None:
    """Keep `clocks` in place of those that were kept `before`."""
    session, ticket = case.session, case.ticket
    rows = {(row.kind, row.round): row for row in before}
    kept: dict[_ClockKey, Clock] = {(clock.kind, clock.round): clock for clock in clocks}
    for key in rows.keys() - kept.keys():
        await session.delete(rows[key])
    for key, clock in kept.items():
        row = rows.get(key)
        was_met = row is not None and row.met_at is not None
        if row is None:
            row = SlaClock(ticket_id=ticket.id, kind=clock.kind, round=clock.round)
            session.add(row)
            # A ticket that was over when the promise was made is nobody's business any more.
            was_met = clock.met_at is not None and clock.met_at < case.ledger.now
        _copy(clock, row)
        if not was_met:
            _note(case, policy, clock, row)
    _show(case, clocks)


def _copy(clock: Clock, row: SlaClock) -> None:
    row.target_seconds = _seconds(clock.target)
    row.started_at = clock.started_at
    row.spent_seconds = _seconds(clock.spent)
    row.running_since = clock.running_since
    row.warn_at = clock.warn_at
    row.due_at = clock.due_at
    row.met_at = clock.met_at


def _note(case: Case, policy: Policy | None, clock: Clock, row: SlaClock) -> None:
    """Record a warning or a breach that is new, and forget one that no longer holds."""
    now = case.ledger.now
    if clock.breached_at is not None and row.breached_at is None:
        case.ledger.record(case.ticket, BREACH, None, clock.kind, actor=_ACTOR)
        row.warned_at = row.warned_at or now
        if policy is not None and policy.raises_priority:
            _raise(case, clock.kind)
    elif clock.breached_at is None and clock.warn_at is not None:
        if clock.warn_at > now:
            row.warned_at = None
        elif row.warned_at is None:
            case.ledger.record(case.ticket, WARNING, None, clock.kind, actor=_ACTOR)
            row.warned_at = now
    row.breached_at = clock.breached_at


def _raise(case: Case, kind: ClockKind) -> None:
    higher: Mapping[int, Priority] = {rank: priority for priority, rank in RANK.items()}
    above = higher.get(RANK[Priority(case.ticket.priority)] + 1)
    if above is not None:
        case.rank(above, actor=_ACTOR, reason=f"{BREACH}:{kind}")


def _show(case: Case, clocks: Sequence[Clock]) -> None:
    """Keep with the ticket what queues show and sort by."""
    running = [clock for clock in clocks if clock.due_at is not None and clock.met_at is None]
    nearest = min(running, key=lambda clock: clock.due_at or case.ledger.now, default=None)
    due = None if nearest is None else nearest.due_at
    kind = None if nearest is None else nearest.kind
    breached = min((each.breached_at for each in running if each.breached_at), default=None)
    ticket = case.ticket
    before = (ticket.sla_due_at, ticket.sla_due_kind, ticket.sla_breached_at)
    if before != (due, kind, breached):
        ticket.sla_due_at, ticket.sla_due_kind, ticket.sla_breached_at = due, kind, breached
        case.changed()


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
