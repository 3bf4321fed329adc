"""Databases of tests: copies of one that is migrated, emptied after a test and given to the next.

Copying a database takes as long as hundreds of statements, emptying one as long as a few.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from core.domain.ids import new_id
from core.storage.engine import open_engine

_TEMPLATE = "desk"
_GIVEN_BACK_SECONDS = 10.0
_APPLICATION = "engine of a test"

# Rows that migrations leave, and where their sequences stand: what a test finds in its database.
_REMEMBER = """
CREATE SCHEMA pristine;
CREATE TABLE pristine.sequence AS
    SELECT format('%I.%I', schemaname, sequencename)::regclass AS name,
           coalesce(last_value, start_value) AS value, last_value IS NOT NULL AS is_called
    FROM pg_sequences WHERE schemaname = 'public';
DO $$
DECLARE
    place regclass;
    has_rows boolean;
BEGIN
    FOR place IN SELECT oid FROM pg_class
                 WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE pristine.%I AS TABLE %s',
                           (SELECT 'rows ' || relname FROM pg_class WHERE oid = place), place);
        END IF;
    END LOOP;
END $$
"""

# Foreign keys and triggers rest meanwhile, so the order of the tables is of no matter. A table that
# grew is truncated: rows that are only deleted would stay in its file, and in every later scan. One
# without a file has no rows.
_EMPTY = """
SET session_replication_role = replica;
DO $$
DECLARE
    place record;
    columns text;
BEGIN
    FOR place IN SELECT oid::regclass AS name, relname, pg_relation_size(oid) > 65536 AS is_large
                 FROM pg_class
                 WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                       AND pg_relation_size(oid) > 0
                 ORDER BY is_large DESC LOOP
        IF place.is_large THEN
            EXECUTE format('TRUNCATE %s CASCADE', place.name);
        ELSE
            EXECUTE format('DELETE FROM %s', place.name);
        END IF;
    END LOOP;
    FOR place IN SELECT c.oid::regclass AS name, c.relname, kept.oid::regclass AS kept
                 FROM pg_class AS c
                 JOIN pg_class AS kept ON kept.relname = 'rows ' || c.relname
                      AND kept.relnamespace = 'pristine'::regnamespace
                 WHERE c.relnamespace = 'public'::regnamespace LOOP
        SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
        WHERE attrelid = place.name AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s',
                       place.name, columns, columns, place.kept);
    END LOOP;
    PERFORM setval(name, value, is_called) FROM pristine.sequence;
END $$
"""

# Whether a test changed more than rows.
_SHAPE = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
    SELECT concat_ws(' ', oid, relname, relchecks, relacl) AS part FROM pg_class
        WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|information_)')
    UNION ALL SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull) FROM pg_attribute
        WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT concat_ws(' ', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', oid, conname) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT extname FROM pg_extension
    UNION ALL SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting
        JOIN pg_database AS d ON d.oid = setdatabase AND d.datname = current_database()
)
"""

# The connections of tests' engines that are in no transaction.
_RESTING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = %s AND state = 'idle'
"""

_PART = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND pid <> ALL (%s)
"""


@dataclass
class Databases:
    """The databases of one server; `desk` is the migrated one that the others are copied from."""

    server: str
    _shape: object = None
    _idle: list[str] = field(default_factory=list)
    _engines: dict[str, AsyncEngine] = field(default_factory=dict)
    _cleaners: dict[str, psycopg.AsyncConnection] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Remember what a new database holds. To be called once, before the first is taken.

        A server of tests has nothing to lose in a power cut, so it does not wait for the disk.
        """
        async with await _connect(self.server) as database:
            await database.execute("ALTER SYSTEM SET fsync = off")
            await database.execute("ALTER SYSTEM SET full_page_writes = off")
            await database.execute("SELECT pg_reload_conf()")
            await database.execute(_REMEMBER)
            self._shape = await _shape_of(database)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Yield the address of a database that nobody else has, as the migrations left it."""
        name = self._idle.pop() if self._idle else await self._copy()
        yield self.url(name)
        if await self._emptied(name):
            self._idle.append(name)
        else:
            await self._drop(name)

    @asynccontextmanager
    async def engine(self, url: str) -> AsyncIterator[AsyncEngine]:
        """Yield an engine of a database.

        It is the one that earlier tests of the database had, with its connections, which no test
        may change for longer than a transaction: to put all statements in SQL anew takes a third
        of the time of a test, and to parse and plan them as much of the server's.

        What a test has begun and not waited for, such as the commit of a message whose reader was
        stopped, may still have a connection at its end.

        Raises:
            TimeoutError: a connection is kept for good.
        """
        if url not in self._engines:
            self._engines[url] = open_engine(url, application=_APPLICATION)
        engine = self._engines[url]
        yield engine
        async with asyncio.timeout(_GIVEN_BACK_SECONDS):
            while _pool_of(engine).checkedout():
                await asyncio.sleep(0.01)

    def url(self, name: str) -> str:
        head, _, tail = self.server.partition(f"/{_TEMPLATE}?")
        return f"{head}/{name}?{tail}"

    async def _copy(self) -> str:
        name = f"test_{new_id().hex}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        async with await _connect(self.url("postgres")) as admin:
            await admin.execute(copy.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        return name

    async def _drop(self, name: str) -> None:
        if (engine := self._engines.pop(self.url(name), None)) is not None:
            await engine.dispose()
        if (cleaner := self._cleaners.pop(name, None)) is not None:
            await cleaner.close()
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        async with await _connect(self.url("postgres")) as admin:
            await admin.execute(drop)

    async def _emptied(self, name: str) -> bool:
        """Empty a database; return False, having done nothing, where its schema was changed."""
        database = await self._cleaner(name)
        await database.execute(_PART, [await self._resting(name, database)])
        if await _shape_of(database) != self._shape:
            return False
        await database.execute(_EMPTY)
        return True

    async def _resting(self, name: str, database: psycopg.AsyncConnection) -> list[int]:
        """Return the processes behind the connections that the next test may use.

        An engine with another one, which is still at work or was ended, begins anew.
        """
        engine = self._engines.get(self.url(name))
        if engine is None:
            return []
        found = await database.execute(_RESTING, [_APPLICATION])
        resting = [pid for (pid,) in await found.fetchall()]
        pool = _pool_of(engine)
        if pool.checkedout() == 0 and pool.checkedin() == len(resting):
            return resting
        await engine.dispose()
        return []

    async def _cleaner(self, name: str) -> psycopg.AsyncConnection:
        """Return the connection that empties a database.

        It is kept: a new one would read the catalogue of all tables again, ten times the work.
        """
        kept = self._cleaners.pop(name, None)
        if kept is not None:
            try:
                await kept.execute("SELECT 1")
            except psycopg.OperationalError:  # a test has ended all connections
                await kept.close()
                kept = None
        self._cleaners[name] = kept or await _connect(self.url(name))
        return self._cleaners[name]

    async def close(self) -> None:
        """Close what is kept open."""
        for engine in self._engines.values():
            await engine.dispose()
        for cleaner in self._cleaners.values():
            await cleaner.close()


def _pool_of(engine: AsyncEngine) -> QueuePool:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool


async def _connect(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def _shape_of(database: psycopg.AsyncConnection) -> object:
    row = await (await database.execute(_SHAPE)).fetchone()
    return row[0] if row else None
