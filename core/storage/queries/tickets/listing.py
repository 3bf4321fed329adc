"""Lists tickets for programs, in an order that an index has, so that every part takes the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import any_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.domain.ids import AccountId, CategoryId, TicketId
from core.storage.queries.tickets.filter import TicketFilter, conditions, has_rehearsals
from core.storage.queries.tickets.tickets import TicketView, ticket_rows, view_of
from core.storage.tables import Account, Ticket

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"([0-9]{1,16})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class TicketSort(StrEnum):
    """By what a list of tickets is sorted; the minus says that the latest come first."""

    NEWEST = "-created"
    OLDEST = "created"
    CHANGED_LAST = "-updated"
    CHANGED_FIRST = "updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a list a ticket stands: by when, and among those of the same instant by its id."""

    at: datetime
    ticket: TicketId

    @classmethod
    def of(cls, ticket: TicketView, sort: TicketSort) -> Place:
        """Return where `ticket` stands in a list that is sorted by `sort`."""
        by_change = sort in (TicketSort.CHANGED_LAST, TicketSort.CHANGED_FIRST)
        return cls(at=ticket.updated_at if by_change else ticket.created_at, ticket=ticket.id)

    @classmethod
    def read(cls, words: str) -> Place:
        """Return the place that `str` of one wrote.

        Raises:
            InvalidInput: it is none.
        """
        found = _PLACE.fullmatch(words)
        if found is None:
            raise InvalidInput("the cursor is not one that a list gave")
        return cls(at=_EPOCH + int(found[1]) * _MICROSECOND, ticket=TicketId(UUID(found[2])))

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}_{self.ticket}"


async def tickets_in_order(
    session: AsyncSession,
    wanted: TicketFilter,
    sort: TicketSort,
    *,
    after: Place | None = None,
    limit: int,
) -> Sequence[TicketView]:
    """Return the tickets that fit, from those that stand after a place."""
    if wanted.may_be_rehearsed:
        # Asked of each ticket, it lets the planner take few for fewer, and sort them all.
        wanted = replace(wanted, may_be_rehearsed=await has_rehearsals(session))
    by_change = sort in (TicketSort.CHANGED_LAST, TicketSort.CHANGED_FIRST)
    at = Ticket.updated_at if by_change else Ticket.created_at
    backwards = sort in (TicketSort.NEWEST, TicketSort.CHANGED_LAST)
    order = (at.desc(), Ticket.id.desc()) if backwards else (at.asc(), Ticket.id.asc())
    chosen = select(Ticket.id).where(*conditions(wanted)).order_by(*order).limit(limit)
    if by_change and wanted.created_from is not None:
        # None changed before it was opened: without this, all that changed before would be read.
        chosen = chosen.where(Ticket.updated_at >= wanted.created_from)
    if after is not None:
        place, there = tuple_(at, Ticket.id), tuple_(after.at, after.ticket)
        chosen = chosen.where(place < there if backwards else place > there)
    # First which ones, then all about them: more tables than the planner puts in order. Both in one
    # statement: a ticket that changed in between would take the cursor past others.
    ids = func.array(chosen.scalar_subquery())
    rows = await session.execute(ticket_rows().where(Ticket.id == any_(ids)).order_by(*order))
    return [view_of(row) for row in rows]


async def held_among(
    session: AsyncSession, wanted: TicketFilter, *, most: int
) -> tuple[Sequence[CategoryId], Sequence[str]]:
    """Return the categories of the newest tickets that fit, and what they keep fields under."""
    if wanted.may_be_rehearsed:
        wanted = replace(wanted, may_be_rehearsed=await has_rehearsals(session))
    newest = (
        select(Ticket.category_id, Ticket.fields)
        .where(*conditions(wanted))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(most)
        .cte("newest")
    )
    categories = await session.scalars(
        select(newest.c.category_id).where(newest.c.category_id.is_not(None)).distinct()
    )
    keys = await session.scalars(select(func.jsonb_object_keys(newest.c.fields)).distinct())
    return [CategoryId(one) for one in categories], keys.all()


async def accounts_of(session: AsyncSession, channels: Sequence[str]) -> Sequence[AccountId]:
    """Return the accounts of some kinds of channel."""
    rows = await session.scalars(select(Account.id).where(Account.channel.in_(channels)))
    return [AccountId(one) for one in rows]
