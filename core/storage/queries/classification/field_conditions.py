"""Conditions on custom fields: whether they can be, and how many tickets fit them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Text, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.conditions import Condition
from core.domain.automation.fields import BOUNDS, Comparison
from core.domain.classification import FieldKind, FieldSpec, WrongComparison, WrongField
from core.domain.errors import InvalidInput
from core.domain.ids import CategoryId, TicketId
from core.storage.queries.classification.categories import CategoryTree, spec_of
from core.storage.queries.tickets.by_fields import NEGATIVE, FieldTest, is_same, values_of
from core.storage.tables import FormField, TicketField

_FEW = 2_000  # tickets; where more fit, an index that has them in order is quicker
_EVERYWHERE = frozenset(
    {Comparison.IS, Comparison.IS_NOT, Comparison.EMPTY, Comparison.FILLED},
)
FITTING: dict[FieldKind, frozenset[Comparison]] = {
    FieldKind.TEXT: _EVERYWHERE | {Comparison.HAS, Comparison.HAS_NOT},
    FieldKind.NUMBER: _EVERYWHERE | BOUNDS,
    FieldKind.DATE: _EVERYWHERE | BOUNDS,
    FieldKind.CHOICE: _EVERYWHERE,
    FieldKind.YES_NO: _EVERYWHERE,
}
"""How fields are compared, by what they take."""


async def check_fields(
    session: AsyncSession, conditions: Sequence[Condition], kept: Collection[Condition] = ()
) -> None:
    """See that conditions are on fields that categories ask for, and fit these.

    Choices that are gone by now pass where a ticket still holds them, and so does a condition that
    is among `kept`: it fitted when it was made.

    Raises:
        InvalidInput: there is no such field, or it cannot be compared like that.
    """
    specs = await _specs(session, conditions) if conditions else {}
    for condition in conditions:
        spec = specs.get(condition.custom)
        if spec is None:
            raise InvalidInput("there is no such field")
        if condition not in kept:
            await _check(session, spec, condition)


async def field_tests(
    session: AsyncSession, conditions: Sequence[Condition], tree: CategoryTree
) -> tuple[FieldTest, ...]:
    """Return how tickets are asked for `conditions`, which were checked once."""
    if not conditions:
        return ()
    # A plan for any value would be a bad one for most: how often each occurs decides.
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    specs = await _specs(session, conditions)
    found = []
    for condition in conditions:
        spec = specs[condition.custom]
        asking = tree.at_or_below(CategoryId(spec.owner))
        test = FieldTest(condition=condition, spec=spec, categories=asking)
        found.append(test if condition.comparison in NEGATIVE else await _with_few(session, test))
    return tuple(found)


async def _with_few(session: AsyncSession, test: FieldTest) -> FieldTest:
    rows = (await session.scalars(test.tickets().limit(_FEW + 1))).all()
    return test if len(rows) > _FEW else replace(test, few=[TicketId(one) for one in rows])


async def _specs(
    session: AsyncSession, conditions: Sequence[Condition]
) -> dict[UUID | None, FieldSpec]:
    """Return the fields that conditions name: archived ones too, which tickets keep."""
    rows = await session.scalars(
        select(FormField).where(
            FormField.category_id.is_not(None),
            FormField.id.in_([one.custom for one in conditions]),
        )
    )
    return {row.id: spec_of(row) for row in rows}


async def _check(session: AsyncSession, spec: FieldSpec, condition: Condition) -> None:
    if condition.comparison not in FITTING[spec.kind]:
        raise WrongComparison(spec)
    if condition.comparison in (Comparison.EMPTY, Comparison.FILLED):
        return
    if spec.kind == FieldKind.CHOICE:
        await _check_choices(session, spec, condition)
        return
    is_one = condition.comparison in BOUNDS
    for words in [condition.value] if is_one else values_of(spec, condition):
        if spec.value(words) is None:
            raise WrongField(spec)


async def _check_choices(session: AsyncSession, spec: FieldSpec, condition: Condition) -> None:
    wanted = set(condition.values)
    whole = {condition.value.strip()}  # a choice may have a "|" in its name
    known = wanted.intersection(spec.choices) | whole.intersection(spec.choices)
    if not whole <= known and not wanted <= known:
        known |= await _held(session, spec, (wanted | whole) - known)
    if not whole <= known and not wanted <= known:
        raise WrongField(spec)


async def _held(session: AsyncSession, spec: FieldSpec, words: Collection[str]) -> frozenset[str]:
    """Return which of `words` a ticket holds in the field."""
    one = func.unnest(literal(list(words), ARRAY(Text))).column_valued("one")
    held = exists().where(TicketField.field_id == spec.id, is_same(TicketField.words, one))
    return frozenset(await session.scalars(select(one).where(held)))
