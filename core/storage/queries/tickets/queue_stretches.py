"""Which tickets come first in an order of the queue, or after a place in it.

They are read in stretches, each of which an index has in order where the order as a whole is in
none. After a place come first the tickets that are like the one there in all columns but the last,
then those that are like it in all but the last two, and so on. Tickets that are open, and those
that are solved or closed, are in indexes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    UnaryExpression,
    and_,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.ticket import RANK, TicketStatus
from core.domain.views import Order, Promise
from core.storage.queries.tickets.filter import LIVE, TicketFilter, conditions
from core.storage.queries.tickets.queue_order import (
    COLUMNS,
    PROMISED,
    RANKED,
    By,
    QueuePlace,
    Value,
)
from core.storage.tables import Ticket

_EACH_RANK = replace(
    RANKED,
    each={
        rank: Ticket.priority == priority
        for priority, rank in sorted(RANK.items(), key=lambda pair: -pair[1])
    },
)
_DONE = frozenset(TicketStatus) - LIVE
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Part(StrEnum):
    LIVE = "live"
    DONE = "done"  # nothing is promised in them any more
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Tickets that follow one another in an order, and in what they may differ but for their id."""

    which: ColumnElement[bool]
    by: tuple[By, ...]

    def where(self, which: ColumnElement[bool]) -> _Stretch:
        return replace(self, which=and_(which, self.which))


async def places_in_order(
    session: AsyncSession,
    wanted: TicketFilter,
    order: Order,
    *,
    after: QueuePlace | None = None,
    limit: int,
) -> Sequence[QueuePlace]:
    """Return the places of the first `limit` tickets that fit, or of the first `after` a place."""
    parts = _parts(wanted, order)
    found: dict[TicketId, QueuePlace] = {}  # one that is solved meanwhile may be met twice
    for part, filtered in parts:
        for place in await _of_part(session, filtered, order, part, after, limit):
            found.setdefault(place.ticket, place)
    places = list(found.values())
    return (places if len(parts) == 1 else sorted(places, key=_key))[:limit]


def _parts(wanted: TicketFilter, order: Order) -> Sequence[tuple[_Part, TicketFilter]]:
    statuses = frozenset(wanted.statuses) or frozenset(TicketStatus)
    if LIVE.issuperset(statuses):
        return [(_Part.LIVE, wanted)]
    if order in (Order.NEWEST, Order.OLDEST, Order.CHANGED):
        return [(_Part.BOTH, wanted)]
    found = [
        (part, replace(wanted, statuses=[one for one in TicketStatus if one in statuses & those]))
        for part, those in ((_Part.LIVE, LIVE), (_Part.DONE, _DONE))
    ]
    is_promised = bool(wanted.promises) and Promise.NONE not in wanted.promises
    return [
        (part, narrowed)
        for part, narrowed in found
        if narrowed.statuses and not (part == _Part.DONE and is_promised)
    ]


async def _of_part(
    session: AsyncSession,
    wanted: TicketFilter,
    order: Order,
    part: _Part,
    after: QueuePlace | None,
    limit: int,
) -> Sequence[QueuePlace]:
    columns = _columns(order, part)
    values = [
        null() if by is PROMISED and part == _Part.DONE else by.column for by in COLUMNS[order]
    ]
    by_id = _by_id(order, part)
    stretches = _all(columns) if after is None else _after(columns, after, part)
    found: dict[TicketId, QueuePlace] = {}  # one that moves meanwhile may be met twice
    for stretch in stretches:
        # Other orders have an index of live tickets alone.
        is_promised = order == Order.DUE and part == _Part.LIVE and _begins_with_promise(stretch)
        rows = await session.execute(
            select(Ticket.id, *values)
            .where(*conditions(wanted, is_promised=is_promised), stretch.which)
            .order_by(*(by.sorted() for by in stretch.by), *by_id)
            .limit(limit - len(found))
        )
        for ticket, *place in rows:
            named = TicketId(ticket)
            found.setdefault(named, QueuePlace(order=order, values=tuple(place), ticket=named))
        if len(found) >= limit:
            break
    return list(found.values())


def _begins_with_promise(stretch: _Stretch) -> bool:
    return bool(stretch.by) and stretch.by[0] is PROMISED  # compared, columns give SQL


def _columns(order: Order, part: _Part) -> tuple[By, ...]:
    """Return what a part is sorted by."""
    if part != _Part.DONE:
        return COLUMNS[order]
    own = [by for by in COLUMNS[order] if by is not PROMISED]
    # They are read rank for rank: of each priority the planner knows how many there are, and reads
    # those of a rare one by themselves and those of a common one among all.
    return tuple(_EACH_RANK if by is RANKED else by for by in own)


def _all(columns: tuple[By, ...]) -> Iterator[_Stretch]:
    if not columns:
        yield _Stretch(which=true(), by=())
        return
    for which, by in columns[0].all():
        yield _Stretch(which=which, by=(*by, *columns[1:]))


def _after(columns: tuple[By, ...], place: QueuePlace, part: _Part) -> Iterator[_Stretch]:
    pairs = list(zip(COLUMNS[place.order], place.values, strict=True))
    for by, value in pairs if part == _Part.DONE else ():
        if by is PROMISED and value is not None:
            # Something is promised in the one there: all of these that are like it in what comes
            # before that follow it.
            before = [pair for pair in pairs if pair[0] is RANKED]
            yield from _alike(columns, [value for _, value in before], None)
            return
    values = [value for by, value in pairs if not (by is PROMISED and part == _Part.DONE)]
    yield from _alike(columns, values, _follows(place, part))


def _alike(
    columns: tuple[By, ...], values: Sequence[Value], last: ColumnElement[bool] | None
) -> Iterator[_Stretch]:
    """Yield what comes after `values` in `columns`.

    Where they end, `last` tells what comes after among those that are alike in all; None: all.
    """
    if not values:
        if last is None:
            yield _Stretch(which=true(), by=columns)
        else:
            yield _Stretch(which=last, by=())
        return
    first, others = columns[0], columns[1:]
    for one in _alike(others, values[1:], last):
        yield one.where(first.is_at(values[0]))
    for which, by in first.beyond(values[0]):
        yield _Stretch(which=which, by=(*by, *others))


def _follows(place: QueuePlace, part: _Part) -> ColumnElement[bool]:
    if _is_by_age(place.order, part):
        # Of the one there or, where it was deleted, of the one that was opened before it.
        opened_at = (
            select(Ticket.created_at)
            .where(Ticket.id <= place.ticket)
            .order_by(Ticket.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        there = tuple_(func.coalesce(opened_at, _LONG_AGO), literal(place.ticket))
        return tuple_(Ticket.created_at, Ticket.id) > there
    if place.order == Order.NEWEST:
        return Ticket.id < place.ticket
    return Ticket.id > place.ticket


def _by_id(order: Order, part: _Part) -> Sequence[UnaryExpression[Any]]:
    if order == Order.NEWEST:
        return [Ticket.id.desc()]
    return [*([Ticket.created_at.asc()] if _is_by_age(order, part) else ()), Ticket.id.asc()]


def _is_by_age(order: Order, part: _Part) -> bool:
    # Ids are in order of age too, but the index of live tickets has them by when they were opened;
    # among all that were ever opened the oldest live ones would be far to look for.
    return order == Order.OLDEST and part == _Part.LIVE


def _key(place: QueuePlace) -> tuple[Any, ...]:
    columns = COLUMNS[place.order]
    keys = [by.key(value) for by, value in zip(columns, place.values, strict=True)]
    number = place.ticket.int
    return (*keys, -number if place.order == Order.NEWEST else number)
