"""A connection that was closed meanwhile is replaced before its use; statements stay prepared."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.storage import engine as engines
from core.storage.engine import open_engine, sessions_of

_OFTEN = 10
_READ = text("SELECT id FROM ticket WHERE number = :number")
_TIMES = text(
    "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
    " WHERE statement LIKE 'SELECT id FROM ticket WHERE number%'"
)


async def test_idle_connections_that_were_closed_are_replaced(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_TRUSTED_SECONDS", 0.0)
    engine, other = open_engine(database_url), open_engine(database_url)
    mine = text("SELECT pg_backend_pid()")
    async with engine.connect() as one, engine.connect() as two:
        before = {await one.scalar(mine), await two.scalar(mine)}
    async with other.connect() as connection:
        for process in before:
            await connection.execute(
                text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": process}
            )
    async with engine.connect() as one, engine.connect() as two:
        after = {await one.scalar(mine), await two.scalar(mine)}
    assert len(before | after) == 4
    await engine.dispose()
    await other.dispose()


async def test_statements_stay_prepared_when_sessions_that_only_read_end(
    database_url: str,
) -> None:
    own = open_engine(database_url, pool_size=1)
    sessions = sessions_of(own)
    for _ in range(_OFTEN):
        async with sessions() as session:
            await session.execute(_READ, {"number": 1})
    async with sessions() as session:
        (times,) = await session.scalars(_TIMES)
    await own.dispose()
    assert times >= _OFTEN // 2
