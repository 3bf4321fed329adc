from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from psycopg import AsyncConnection, connect
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.storage.engine import Sessions, libpq_url
from core.storage.signals import SignallingSession, signal
from core.storage.tables import ChannelCursor
from tests.support.desk import WEB

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


async def test_an_undone_savepoint_loses_nothing_that_was_to_be_told_before(
    sessions: Sessions, heard: asyncio.Queue[str]
) -> None:
    async with sessions.begin() as session:
        await signal(session, [("news", "before")])
        savepoint = await session.begin_nested()
        await savepoint.rollback()
    assert await _next(heard) == "before"


async def test_nothing_is_told_before_the_work_is_committed(
    sessions: Sessions, engine: AsyncEngine, heard: asyncio.Queue[str]
) -> None:
    sent: list[str] = []

    def statement(*told: object) -> None:
        sent.append("notify" if "pg_notify" in str(told[2]) else "work")

    def commit(_: object) -> None:
        sent.append("commit")

    event.listen(engine.sync_engine, "before_cursor_execute", statement)
    event.listen(engine.sync_engine, "commit", commit)
    try:
        async with sessions.begin() as session:
            await signal(session, [("news", "told")])
            await session.execute(text("SELECT 1"))
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", statement)
        event.remove(engine.sync_engine, "commit", commit)
    assert sent == ["work", "commit", "notify", "commit"]
    assert await _next(heard) == "told"


async def _committed(sessions: Sessions, name: str) -> bool:
    async with sessions() as session:
        return await session.get(ChannelCursor, (WEB, name)) is not None


def _cursor(name: str) -> ChannelCursor:
    return ChannelCursor(account_id=WEB, name=name, value="1", updated_at=datetime.now(UTC))


async def test_a_connection_lost_after_the_commit_loses_the_signal_alone(
    sessions: Sessions,
    engine: AsyncEngine,
    heard: asyncio.Queue[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = libpq_url(engine.url.render_as_string(hide_password=False))
    backends: list[int] = []

    def lose(_: object) -> None:
        with connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [backends.pop()])

    event.listen(SignallingSession, "after_commit", lose, insert=True)
    try:
        with caplog.at_level(logging.WARNING, logger="core.storage.signals"):
            async with sessions.begin() as session:
                session.add(_cursor("kept"))
                backends += await session.scalars(text("SELECT pg_backend_pid()"))
                await signal(session, [("news", "lost")])
    finally:
        event.remove(SignallingSession, "after_commit", lose)
    assert "signals were not sent" in caplog.text
    assert await _committed(sessions, "kept")
    async with sessions.begin() as session:
        await signal(session, [("news", "next")])
    assert await _next(heard) == "next"


async def test_a_signal_that_is_refused_undoes_nothing(
    sessions: Sessions, heard: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="core.storage.signals"):
        async with sessions.begin() as session:
            session.add(_cursor("kept"))
            await signal(session, [("news", "x" * 9_000)])  # PostgreSQL takes 8,000 bytes
    assert "signals were not sent" in caplog.text
    assert await _committed(sessions, "kept")
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
