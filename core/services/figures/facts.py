"""Writes down what a ticket came to, after each change of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.sla.clocks import Moment, Turn
from core.services.case import Case
from core.services.reactions import TicketChange
from core.services.sla.histories import facts_of, history_of
from core.services.sla.rules import PromiseBook
from core.storage.tables import FigureChange, SlaClock, SlaTicket, TicketFigure

_RELEVANT = frozenset(
    {"status", "message", "assignee", "team", "category", "priority", "sla_breach", "reason"}
)
_NOTHING = timedelta(0)


class FiguresOfTickets:
    """The reactor that keeps a ticket's figures; it sees changes after those that make them.

    What was merged into another ticket, or is spam, has none.
    """

    name = "figures"

    def __init__(self, book: PromiseBook | None = None) -> None:
        self._book = book or PromiseBook()

    async def react(self, case: Case, change: TicketChange) -> None:
        """Write the figures of the ticket anew, and have their days counted again."""
        if change.field not in _RELEVANT or change.reason == "note":
            return
        session, ticket = case.session, case.ticket
        rules = await self._book.current(session)
        facts = await facts_of(case)
        hours = rules.hours_of(rules.policy_for(facts))
        kept = await session.get(SlaTicket, ticket.id)
        asked = ticket.created_at if kept is None else kept.asked_at
        history = await history_of(case, asked)
        before = await session.scalar(
            select(TicketFigure.solved_at).where(TicketFigure.ticket_id == ticket.id)
        )
        solved = ticket.solved_at if case.is_done else None
        days = {ticket.created_at, before, solved}
        if change.is_opening:
            days.add(case.conversation.created_at)  # it is no longer the assistant's alone
        await session.execute(insert(FigureChange), [{"at": at} for at in days if at is not None])
        if ticket.closed_as is not None:
            await session.execute(delete(TicketFigure).where(TicketFigure.ticket_id == ticket.id))
            return
        values = {
            "opened_at": ticket.created_at,
            "solved_at": solved,
            "channel": facts.channel,
            "team_id": ticket.team_id,
            "agent_id": ticket.assignee_id,
            "category_id": ticket.category_id,
            "priority": ticket.priority,
            "reason": ticket.reason,
            "times_reopened": times_reopened(history.moments),
            **_span("first_response", hours, ticket.created_at, ticket.first_response_at),
            **_rounds(hours, history.moments),
            **_span("resolution", hours, ticket.created_at, solved),
            **await _promises(case),
        }
        await session.execute(
            upsert(TicketFigure)
            .values(ticket_id=ticket.id, **values)
            .on_conflict_do_update(index_elements=["ticket_id"], set_=values)
        )


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
    name: str, hours: BusinessHours, since: datetime, until: datetime | None
) -> dict[str, int | None]:
    if until is None:
        return {name: None, f"{name}_business": None}
    return {
        name: max(0, int((until - since).total_seconds())),
        f"{name}_business": int(hours.between(since, until).total_seconds()),
    }


def _rounds(hours: BusinessHours, moments: Sequence[Moment]) -> dict[str, int | None]:
    answered = rounds(moments)
    if not answered:
        return {"next_response": None, "next_response_business": None}
    plain = sum(((until - since) for since, until in answered), _NOTHING)
    business = sum((hours.between(since, until) for since, until in answered), _NOTHING)
    return {
        "next_response": int(plain.total_seconds() / len(answered)),
        "next_response_business": int(business.total_seconds() / len(answered)),
    }


async def _promises(case: Case) -> dict[str, Any]:
    row = (
        await case.session.execute(
            select(
                func.count().filter(SlaClock.met_at.is_not(None), SlaClock.breached_at.is_(None)),
                func.count().filter(SlaClock.breached_at.is_not(None)),
            ).where(SlaClock.ticket_id == case.ticket.id)
        )
    ).one()
    return {"kept": row[0], "broken": row[1]}
