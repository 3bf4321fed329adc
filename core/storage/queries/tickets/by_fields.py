"""Which tickets fit conditions on what their custom fields hold.

A few that fit are named by their ids, which the index of their values gives; where many do, each
ticket of a list is asked. Where it is asked that a field does not hold something, tickets alone are
meant of which their category asks for it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from core.domain.automation.conditions import Condition
from core.domain.automation.fields import BOUNDS, Comparison
from core.domain.classification import FieldKind, FieldSpec
from core.domain.ids import CategoryId, TicketId
from core.storage.tables import Ticket, TicketField

_INDEXED: ColumnElement[int] = literal_column("100")  # characters, as the index has them

NEGATIVE: dict[Comparison, Comparison] = {
    Comparison.IS_NOT: Comparison.IS,
    Comparison.HAS_NOT: Comparison.HAS,
    Comparison.EMPTY: Comparison.FILLED,
}
"""What a ticket must not hold, by the comparison."""
_ORDERED: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.MORE: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTest:
    """A condition on one field, as tickets are asked for it."""

    condition: Condition
    spec: FieldSpec
    categories: Sequence[CategoryId] = ()  # that ask for the field
    few: Collection[TicketId] | None = None  # those that fit, where they are few

    def holds(self) -> ColumnElement[bool]:
        """Return the condition that a ticket fits."""
        if self.few is not None:
            return Ticket.id == any_(literal(list(self.few), ARRAY(Uuid)))
        one = aliased(TicketField)
        turned = NEGATIVE.get(self.condition.comparison)
        there = exists().where(
            one.ticket_id == Ticket.id,
            one.field_id == self.spec.id,
            self._fits(one, turned or self.condition.comparison),
        )
        return there if turned is None else and_(Ticket.category_id.in_(self.categories), ~there)

    def tickets(self) -> Select[UUID]:
        """Return the statement for the tickets that hold what is looked for."""
        return select(TicketField.ticket_id).where(
            TicketField.field_id == self.spec.id,
            self._fits(TicketField, self.condition.comparison),
        )

    def _fits(self, one: Any, compared: Comparison) -> ColumnElement[bool]:
        if compared == Comparison.FILLED:
            return true()
        if compared == Comparison.HAS:
            return or_(
                *(
                    func.strpos(one.words, func.search_folded(words)) > 0
                    for words in self.condition.values
                )
            )
        if compared in BOUNDS:
            # Dates are as long as one another and sort as their words do.
            is_number = self.spec.kind == FieldKind.NUMBER
            column = one.number if is_number else _beginning(one.words)
            limit = _value(self.spec, self.condition.value)
            return _ORDERED[compared](column, limit)  # type: ignore[no-any-return]
        values = [_value(self.spec, words) for words in values_of(self.spec, self.condition)]
        if self.spec.kind == FieldKind.NUMBER:
            return one.number.in_(values)  # type: ignore[no-any-return]
        return or_(*(is_same(one.words, words) for words in values))


def values_of(spec: FieldSpec, condition: Condition) -> Sequence[str]:
    """Return the values any of which is looked for."""
    if condition.value in spec.choices:
        return [condition.value]
    if spec.kind in (FieldKind.TEXT, FieldKind.CHOICE):
        # A text may have a "|" in it, as may the name of a choice that is gone by now.
        return list(dict.fromkeys([*condition.values, condition.value.strip()]))
    return condition.values


def _value(spec: FieldSpec, words: str) -> Any:
    """Return what is compared with what a ticket keeps."""
    if spec.kind in (FieldKind.NUMBER, FieldKind.DATE):
        return spec.value(words)
    return words  # choices that are gone by now too: tickets keep them


def is_same(column: Any, words: Any) -> ColumnElement[bool]:
    """Return the condition that a field's words are `words`, as an index finds it."""
    folded = func.search_folded(words)
    return and_(_beginning(column) == func.left(folded, _INDEXED), column == folded)


def _beginning(column: Any) -> Any:
    return func.left(column, _INDEXED)
