"""Writes down what a ticket came to, after each change of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.ids import TicketId
from core.domain.sla.clocks import Moment, Turn, time_in, working_spans
from core.services.case import Case
from core.services.reactions import TicketChange
from core.services.sla.histories import ONE_OF_TICKETS, facts_of, history_of, moments_of
from core.services.sla.rules import PromiseBook
from core.storage.beforehand import Beforehand
from core.storage.tables import FigureChange, SlaClock, SlaTicket, Ticket, TicketFigure

_RELEVANT = frozenset(
    {"status", "message", "assignee", "team", "category", "priority", "sla_breach", "reason"}
)
_NOTHING = timedelta(0)
_QUARTER = timedelta(minutes=15)
"""No day begins within a quarter of an hour: clocks of all zones differ by whole ones."""


def _clocks(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(SlaClock.ticket_id == Ticket.id, *conditions)
        .correlate(Ticket)
        .scalar_subquery()
    )


_SO_FAR = (
    select(
        Ticket.id,
        func.coalesce(SlaTicket.asked_at, Ticket.created_at).label("asked_at"),
        _clocks(SlaClock.met_at.is_not(None), SlaClock.breached_at.is_(None)).label("kept"),
        _clocks(SlaClock.breached_at.is_not(None)).label("broken"),
        TicketFigure,
    )
    .outerjoin(SlaTicket, SlaTicket.ticket_id == Ticket.id)
    .outerjoin(TicketFigure, TicketFigure.ticket_id == Ticket.id)
    .where(Ticket.id == ONE_OF_TICKETS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SoFar:
    """What figures are made of that is not with the ticket itself."""

    row: TicketFigure | None  # as it was written last
    asked_at: datetime
    kept: int  # promises
    broken: int
    moments: Sequence[Moment]


class FiguresOfTickets:
    """The reactor that keeps a ticket's figures; it sees changes after those that make them.

    What was merged into another ticket, or is spam, has none.
    """

    name = "figures"

    def __init__(self, book: PromiseBook | None = None) -> None:
        self._book = book or PromiseBook()
        self._so_far = Beforehand(_so_far)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Read what the figures of tickets are made of that have changed."""
        counted = {TicketId(case.ticket.id) for case, change in changes if _counts(change)}
        await self._so_far.read(session, counted)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Write the figures of the ticket anew, and have their days counted again."""
        if not _counts(change):
            return
        session, ticket = case.session, case.ticket
        rules = await self._book.current(session)
        facts = await facts_of(case, rules)
        hours = rules.hours_of(rules.policy_for(facts))
        found = await self._so_far.take(session, TicketId(ticket.id))
        history = history_of(ticket, found.asked_at, found.moments)
        row, moments = found.row, history.moments
        solved = ticket.solved_at if case.is_done else None
        days = {ticket.created_at, solved, None if row is None else row.solved_at}
        if change.is_opening:
            days.add(case.conversation.created_at)  # it is no longer the assistant's alone
        count_again(session, days)
        if ticket.closed_as is not None:
            if row is not None:
                await session.delete(row)
            return
        if row is None:
            row = TicketFigure(ticket_id=ticket.id)
            session.add(row)
        row.opened_at, row.solved_at = ticket.created_at, solved
        row.channel = facts.channel
        row.team_id, row.agent_id = ticket.team_id, ticket.assignee_id
        row.category_id = ticket.category_id
        row.priority, row.reason = ticket.priority, ticket.reason
        row.times_reopened = times_reopened(moments)
        row.first_response, row.first_response_business = _span(
            hours, ticket.created_at, ticket.first_response_at
        )
        row.next_response, row.next_response_business = _rounds(hours, moments)
        row.resolution, row.resolution_business = _span(hours, ticket.created_at, solved)
        row.assistant = int(hours.between(history.asked_at, history.opened_at).total_seconds())
        row.work = (
            None
            if solved is None
            else int(time_in(hours, working_spans(history), case.ledger.now).total_seconds())
        )
        row.kept, row.broken = found.kept, found.broken


def _counts(change: TicketChange) -> bool:
    return change.field in _RELEVANT and change.reason != "note"


async def _so_far(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, _SoFar]:
    moments = await moments_of(session, tickets)
    rows = await session.execute(_SO_FAR, {"tickets": list(tickets)})
    return {
        TicketId(ticket): _SoFar(
            row=row, asked_at=asked, kept=kept, broken=broken, moments=moments[TicketId(ticket)]
        )
        for ticket, asked, kept, broken, row in rows
    }


def count_again(session: AsyncSession, moments: Collection[datetime | None]) -> None:
    """Have the days of `moments` counted; once for all that this transaction says of a day."""
    said: set[datetime] = session.info.setdefault(FigureChange, set())
    for at in moments:
        if at is not None:
            quarter = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % _QUARTER
            if quarter not in said:
                said.add(quarter)
                session.add(FigureChange(at=quarter))


def times_reopened(moments: Sequence[Moment]) -> int:
    """Return how often a ticket was opened again after it was done."""
    found, is_done = 0, False
    for moment in moments:
        if moment.turn == Turn.ENDS:
            is_done = True
        elif moment.turn in (Turn.RUNS, Turn.WAITS):
            found += is_done
            is_done = False
    return found


def rounds(moments: Sequence[Moment]) -> list[tuple[datetime, datetime]]:
    """Return each further question with the answer it got."""
    found: list[tuple[datetime, datetime]] = []
    is_answered, asked = False, None
    for moment in moments:
        if moment.turn == Turn.ANSWERED:
            if asked is not None:
                found.append((asked, moment.at))
            is_answered, asked = True, None
        elif moment.turn == Turn.ENDS:
            asked = None
        elif moment.turn == Turn.ASKED and is_answered:
            asked = asked or moment.at
    return found


def _span(
    hours: BusinessHours, since: datetime, until: datetime | None
) -> tuple[int | None, int | None]:
    """Return the time between two moments and the business time in it; seconds."""
    if until is None:
        return None, None
    plain = max(0, int((until - since).total_seconds()))
    return plain, int(hours.between(since, until).total_seconds())


def _rounds(hours: BusinessHours, moments: Sequence[Moment]) -> tuple[int | None, int | None]:
    """Return how long answers to further questions took on average, and in business time."""
    answered = rounds(moments)
    if not answered:
        return None, None
    plain = sum(((until - since) for since, until in answered), _NOTHING)
    business = sum((hours.between(since, until) for since, until in answered), _NOTHING)
    count = len(answered)
    return int(plain.total_seconds() / count), int(business.total_seconds() / count)
