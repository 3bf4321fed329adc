"""Reads lists that are sorted by name from one of their rows on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.domain.errors import InvalidInput


async def from_row(
    session: AsyncSession,
    name: InstrumentedAttribute[str],
    key: InstrumentedAttribute[UUID],
    start: UUID | None,
) -> ColumnElement[bool]:
    """Return what holds of the row `start` and those after it by `name`, then `key`; None: of all.

    Raises:
        InvalidInput: there is no such row.
    """
    if start is None:
        return true()
    named = await session.scalar(select(name).where(key == start))
    if named is None:
        raise InvalidInput("the cursor is not one that a list gave")
    return tuple_(name, key) >= tuple_(literal(named), literal(start))
