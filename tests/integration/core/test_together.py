"""Statements that are sent together: what one of them raises, and what is left behind it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.engine import Sessions
from core.storage.together import sent_together
from tests.support.desk import WEB

_COUNT = text("SELECT count(*) FROM channel_cursor")


async def _add(session: AsyncSession, *names: str) -> None:
    for name in names:
        await session.execute(
            text("INSERT INTO channel_cursor VALUES (:account, :name, '1', :now)"),
            {"account": WEB, "name": name, "now": datetime.now(UTC)},
        )


async def test_what_is_sent_together_is_committed_with_the_rest(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        async with sent_together(session):
            await _add(session, "one")
            await _add(session, "two", "three")
            await session.execute(text("DELETE FROM channel_cursor WHERE name = 'two'"))
        assert await session.scalar(_COUNT) == 2
    async with sessions() as session:
        assert await session.scalar(_COUNT) == 2


@pytest.mark.parametrize("after", [(), ("last",)])
async def test_a_fault_among_them_undoes_the_transaction_and_nothing_else(
    sessions: Sessions, after: tuple[str, ...]
) -> None:
    async def add_twice() -> None:
        async with sessions.begin() as session, sent_together(session):
            for name in ("one", "one", *after):
                await _add(session, name)

    with pytest.raises(IntegrityError):
        await add_twice()
    async with sessions.begin() as session:  # over the same connection
        assert await session.scalar(_COUNT) == 0
        async with sent_together(session):
            await _add(session, "one")
    async with sessions() as session:
        assert await session.scalar(_COUNT) == 1


async def test_what_was_to_be_prepared_after_a_fault_is_asked_for_again(
    sessions: Sessions,
) -> None:
    numbers = [text(f"SELECT {number}") for number in range(3)]

    async def ask_after_a_fault() -> None:
        async with sessions.begin() as session, sent_together(session):
            await session.execute(text("SELECT 1 / 0"))
            for number in numbers:  # for the second time: now each is prepared
                await session.execute(number)

    async with sessions.begin() as session:
        for number in numbers:
            await session.execute(number)
    with pytest.raises(DBAPIError):
        await ask_after_a_fault()
    async with sessions.begin() as session:  # over the same connection
        assert [await session.scalar(number) for number in numbers] == [0, 1, 2]
