"""In which order the queue is read, and where in it a ticket stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    UnaryExpression,
    and_,
    cast,
    false,
    literal,
    literal_column,
    or_,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute

from core.domain.errors import InvalidInput
from core.domain.ids import TicketId
from core.domain.views import Order
from core.storage.tables import RANK_OF_PRIORITY, Ticket

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(
    r"([a-z_]{1,20})((?:\.(?:-?[0-9]{1,16}|none))*)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)

Value = int | datetime | None
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _By:
    """A column that an order goes by."""

    column: Column
    is_moment: bool = True
    backwards: bool = False
    may_lack: bool = False  # those without a value come last

    def sorted(self) -> UnaryExpression[Any]:
        if self.backwards:
            return self.column.desc()
        return self.column.asc().nulls_last() if self.may_lack else self.column.asc()

    def is_at(self, value: Value) -> ColumnElement[bool]:
        return self.column.is_(None) if value is None else self.column == literal(value)

    def is_beyond(self, value: Value) -> ColumnElement[bool]:
        if value is None:
            return false()
        if self.backwards:
            return self.column < literal(value)
        later = self.column > literal(value)
        return or_(later, self.column.is_(None)) if self.may_lack else later

    def is_from(self, value: Value) -> ColumnElement[bool]:
        """What an index can start at: it follows from the other two."""
        if self.may_lack:
            return true()
        at = literal(value)
        return self.column <= at if self.backwards else self.column >= at


_RANK = _By(column=literal_column(RANK_OF_PRIORITY), is_moment=False, backwards=True)
_PROMISED = _By(column=Ticket.sla_due_at, may_lack=True)
_OLDEST = _By(column=Ticket.created_at)
_CHANGED = _By(column=Ticket.updated_at, backwards=True)

_COLUMNS: Mapping[Order, tuple[_By, ...]] = MappingProxyType(
    {
        Order.LONGEST_WAITING: (_RANK, _PROMISED, _OLDEST),
        Order.LATEST_CHANGE: (_RANK, _PROMISED, _CHANGED),
        Order.DUE: (_PROMISED, _OLDEST),
        Order.DUE_DATE: (_By(column=Ticket.due_at, may_lack=True), _OLDEST),
        Order.CHANGED: (_CHANGED,),
        Order.NEWEST: (),
        Order.OLDEST: (),
    }
)
"""What tickets are sorted by; those that are alike, by their ids."""


def columns_of(order: Order) -> Sequence[Column]:
    """Return what makes the values of a place."""
    return [by.column for by in _COLUMNS[order]]


def sorting(order: Order, *, live: bool) -> Sequence[UnaryExpression[Any]]:
    """Return what to sort by; `live` where only tickets that are not closed are asked for."""
    ids = _ids(order, live=live)
    by_id = ids.desc() if order == Order.NEWEST else ids.asc()
    return [*(by.sorted() for by in _COLUMNS[order]), by_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a ticket stood in a queue when it was read: by what the order looks at, and its id."""

    order: Order
    values: tuple[Value, ...]  # as `columns_of` the order
    ticket: TicketId

    @classmethod
    def read(cls, words: str, order: Order) -> QueuePlace:
        """Return the place in `order` that `str` of one wrote.

        Raises:
            InvalidInput: it is none, or one in another order.
        """
        found = _PLACE.fullmatch(words)
        columns = _COLUMNS[order]
        written = found[2].split(".")[1:] if found is not None else []
        if found is None or found[1] != order or len(written) != len(columns):
            raise InvalidInput("the cursor is not one that a list gave")
        try:
            values = tuple(_read(by, one) for by, one in zip(columns, written, strict=True))
        except (ValueError, OverflowError):
            raise InvalidInput("the cursor is not one that a list gave") from None
        return cls(order=order, values=values, ticket=TicketId(UUID(found[3])))

    def __str__(self) -> str:
        return ".".join([self.order, *map(_written, self.values), str(self.ticket)])

    def follows(self, *, live: bool) -> ColumnElement[bool]:
        """Return what holds of the tickets that stand after it."""
        columns = _COLUMNS[self.order]
        alike: list[ColumnElement[bool]] = []
        ways: list[ColumnElement[bool]] = []
        for by, value in zip(columns, self.values, strict=True):
            ways.append(and_(*alike, by.is_beyond(value)))
            alike.append(by.is_at(value))
        ids = _ids(self.order, live=live)
        ticket = literal(self.ticket) if ids is Ticket.id else cast(literal(self.ticket), Text)
        ways.append(and_(*alike, ids < ticket if self.order == Order.NEWEST else ids > ticket))
        first = [by.is_from(value) for by, value in zip(columns[:1], self.values, strict=False)]
        return and_(*first, or_(*ways))


def _ids(order: Order, *, live: bool) -> Column:
    # Live tickets are few: the planner is not to go through all there are in the order of ids.
    return cast(Ticket.id, Text) if live and order == Order.OLDEST else Ticket.id


def _read(by: _By, words: str) -> Value:
    if words == "none":
        if not by.may_lack:
            raise ValueError("it has a value always")
        return None
    value = int(words)
    if by.is_moment:
        return _EPOCH + value * _MICROSECOND
    if not -100 <= value <= 100:
        raise ValueError("it is no rank")
    return value


def _written(value: Value) -> str:
    if value is None:
        return "none"
    return str(value if isinstance(value, int) else (value - _EPOCH) // _MICROSECOND)
