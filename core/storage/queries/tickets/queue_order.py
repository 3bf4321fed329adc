"""By what the queue is sorted, and where in it a ticket stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    UnaryExpression,
    false,
    literal,
    literal_column,
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
class By:
    """A column that an order goes by."""

    column: Column
    is_moment: bool = True
    backwards: bool = False
    may_lack: bool = False  # those without a value come last
    each: Mapping[int, ColumnElement[bool]] = field(default_factory=dict)
    """Which tickets have each value, in this order, where those of each are read by themselves."""

    def sorted(self) -> UnaryExpression[Any]:
        if self.backwards:
            return self.column.desc()
        return self.column.asc().nulls_last() if self.may_lack else self.column.asc()

    def is_at(self, value: Value) -> ColumnElement[bool]:
        """Return the condition that a ticket has `value`."""
        if self.each:
            return self.each[value] if isinstance(value, int) and value in self.each else false()
        return self.column.is_(None) if value is None else self.column == literal(value)

    def all(self) -> Iterator[tuple[ColumnElement[bool], tuple[By, ...]]]:
        """Yield conditions that part all tickets, and whether they differ in the column then."""
        if self.each:
            yield from ((which, ()) for which in self.each.values())
        elif self.may_lack:
            yield self.column.is_not(None), (self,)
            yield self.column.is_(None), ()
        else:
            yield true(), (self,)

    def beyond(self, value: Value) -> Iterator[tuple[ColumnElement[bool], tuple[By, ...]]]:
        """Yield the same of those tickets that come after one that has `value`."""
        if value is None:
            return
        if self.each:
            assert isinstance(value, int)  # backwards, as they are
            yield from ((which, ()) for later, which in self.each.items() if later < value)
            return
        later = self.column < literal(value) if self.backwards else self.column > literal(value)
        yield later, (self,)
        if self.may_lack:
            yield self.column.is_(None), ()

    def key(self, value: Value) -> tuple[bool, int]:
        """Return what sorts as the database does."""
        if value is None:
            return True, 0
        number = value if isinstance(value, int) else (value - _EPOCH) // _MICROSECOND
        return False, -number if self.backwards else number


RANKED = By(column=literal_column(RANK_OF_PRIORITY), is_moment=False, backwards=True)
PROMISED = By(column=Ticket.sla_due_at, may_lack=True)
_OLDEST = By(column=Ticket.created_at)
_CHANGED = By(column=Ticket.updated_at, backwards=True)

COLUMNS: Mapping[Order, tuple[By, ...]] = MappingProxyType(
    {
        Order.LONGEST_WAITING: (RANKED, PROMISED, _OLDEST),
        Order.LATEST_CHANGE: (RANKED, PROMISED, _CHANGED),
        Order.DUE: (PROMISED, _OLDEST),
        Order.DUE_DATE: (By(column=Ticket.due_at, may_lack=True), _OLDEST),
        Order.CHANGED: (_CHANGED,),
        Order.NEWEST: (),
        Order.OLDEST: (),
    }
)
"""What tickets are sorted by; those that are alike, by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a ticket stood in a queue when it was read: by what the order looks at, and its id."""

    order: Order
    values: tuple[Value, ...]  # as `COLUMNS` of the order
    ticket: TicketId

    @classmethod
    def read(cls, words: str, order: Order) -> QueuePlace:
        """Return the place in `order` that `str` of one wrote.

        Raises:
            InvalidInput: it is none, or one in another order.
        """
        found = _PLACE.fullmatch(words)
        columns = COLUMNS[order]
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


def _read(by: By, words: str) -> Value:
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
