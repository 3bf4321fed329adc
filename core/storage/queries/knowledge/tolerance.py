"""Reads and writes how many answers may be wrong."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.tables import AnswerTolerance

_ONLY = 1


async def tolerance_set(session: AsyncSession) -> tuple[float | None, int]:
    """Return what an admin has set, None where nothing, and its revision."""
    row = (
        await session.execute(select(AnswerTolerance.wrong_per_hundred, AnswerTolerance.revision))
    ).one_or_none()
    return (None, 0) if row is None else (row.wrong_per_hundred, row.revision)


async def is_known(session: AsyncSession) -> bool:
    """Say whether the database has a place for it; one that was never migrated has none."""
    return await session.scalar(text("SELECT to_regclass('answer_tolerance')")) is not None


async def locked(session: AsyncSession) -> AnswerTolerance:
    """Return the row, made where there is none, for this transaction alone to change."""
    await session.execute(
        upsert(AnswerTolerance).values(id=_ONLY, revision=0).on_conflict_do_nothing()
    )
    return await session.get_one(AnswerTolerance, _ONLY, with_for_update=True)
