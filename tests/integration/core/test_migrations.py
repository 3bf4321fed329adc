from __future__ import annotations

import asyncio

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.ids import new_id
from core.storage.engine import open_engine
from core.storage.migrate import migrate, pending
from core.storage.tables import Base


async def test_the_migrations_make_what_the_tables_say(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                # The job queue's tables are its own.
                "include_name": lambda name, kind, _: (
                    kind != "table" or name in Base.metadata.tables
                ),
                "compare_type": True,
            },
        )
        found: list[object] = compare_metadata(context, Base.metadata)
        return found

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_processes_that_migrate_at_once_take_turns(postgres: str) -> None:
    name = f"test_{new_id().hex}"
    url = postgres.replace("/desk?", f"/{name}?")
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engines = [open_engine(url) for _ in range(3)]
        await asyncio.gather(*(migrate(engine) for engine in engines))
        assert not await pending(engines[0])
        for engine in engines:
            await engine.dispose()
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
