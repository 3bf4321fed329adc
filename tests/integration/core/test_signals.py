from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.storage.engine import Sessions, libpq_url
from core.storage.signals import signal

_DEADLINE_SECONDS = 10.0


@pytest.fixture
async def heard(engine: AsyncEngine) -> AsyncIterator[asyncio.Queue[str]]:
    """What is told on the channel `news`, as it comes."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    url = libpq_url(engine.url.render_as_string(hide_password=False))
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("LISTEN news")

        async def listen() -> None:
            async for notice in connection.notifies():
                queue.put_nowait(notice.payload)

        task = asyncio.create_task(listen())
        yield queue
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _next(heard: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        return await heard.get()


async def test_signals_come_once_and_in_order_when_all_is_committed(
    sessions: Sessions, heard: asyncio.Queue[str]
) -> None:
    async with sessions.begin() as session:
        await signal(session, [("news", "first"), ("news", "second")])
        await signal(session, [("news", "first")])
    assert [await _next(heard) for _ in range(2)] == ["first", "second"]
    async with sessions.begin() as session:
        await signal(session, [("news", "last")])
    assert await _next(heard) == "last"


async def test_what_is_rolled_back_is_not_told(
    sessions: Sessions, heard: asyncio.Queue[str]
) -> None:
    async with sessions() as session:
        await signal(session, [("news", "never")])
        await session.rollback()
        await signal(session, [("news", "told")])
        await session.commit()
    assert await _next(heard) == "told"


async def test_the_end_of_a_savepoint_tells_nothing_yet(
    sessions: Sessions, heard: asyncio.Queue[str]
) -> None:
    async with sessions.begin() as session:
        async with session.begin_nested():
            await signal(session, [("news", "kept")])
        async with sessions.begin() as other:
            await signal(other, [("news", "other")])
    assert [await _next(heard) for _ in range(2)] == ["other", "kept"]


async def test_a_commit_with_signals_does_not_hold_up_another_ones(
    sessions: Sessions, heard: asyncio.Queue[str]
) -> None:
    async with sessions.begin() as slow:
        await signal(slow, [("news", "slow")])
        locks = await slow.scalar(
            text("SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND database = 0")
        )
        async with sessions.begin() as quick:
            await signal(quick, [("news", "quick")])
        assert await _next(heard) == "quick"
    assert locks == 0
    assert await _next(heard) == "slow"


async def test_a_connection_lost_after_the_commit_loses_the_signal_alone(
    sessions: Sessions, heard: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with sessions.begin() as session:
        await session.execute(text("CREATE TEMPORARY TABLE kept (id int) ON COMMIT DROP"))
        # A payload that PostgreSQL refuses fails as late as a connection that breaks.
        await signal(session, [("news", "x" * 9_000)])
        with caplog.at_level(logging.WARNING, logger="core.storage.signals"):
            await session.commit()
    assert "signals were not sent" in caplog.text
    async with sessions.begin() as session:
        await signal(session, [("news", "next")])
    assert await _next(heard) == "next"


async def test_no_trigger_of_the_job_queue_signals_a_new_job(sessions: Sessions) -> None:
    async with sessions() as session:
        found = await session.scalars(
            text(
                "SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
                " WHERE tgrelid = 'procrastinate_jobs'::regclass AND tgenabled <> 'D'"
                " AND tgtype & 4 = 4 AND prosrc ILIKE '%notify%'"
            )
        )
        assert list(found) == []
