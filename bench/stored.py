"""Databases that hold a given number of messages already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from core.storage.engine import libpq_url, open_engine
from core.storage.migrate import migrate

_POLL_SECONDS = 0.1
MESSAGES_PER_CONVERSATION = 10

# What a question, its answer, and the work between them leave behind, five times a conversation.
_FILL = (
    """
    CREATE TEMPORARY TABLE filled ON COMMIT DROP AS
    SELECT number, uuidv7(age) AS contact, uuidv7(age) AS conversation,
           uuidv7(age)::text AS thread
    FROM generate_series(1, %(conversations)s) AS number,
         LATERAL (SELECT (number - %(conversations)s) * interval '1 minute' AS age) AS ages
    """,
    """
    INSERT INTO contact (id) SELECT contact FROM filled ORDER BY number
    """,
    """
    INSERT INTO contact_address (account_id, address, contact_id)
    SELECT 'webchat', thread, contact FROM filled ORDER BY number
    """,
    """
    INSERT INTO conversation (id, account_id, thread, contact_id, address, responder, language,
                              turned_seq, last_seq, last_message_at)
    SELECT conversation, 'webchat', thread, contact, thread, 'bot', 'en', %(messages)s - 1,
           %(messages)s, now()
    FROM filled ORDER BY number
    """,
    """
    CREATE TEMPORARY TABLE said ON COMMIT DROP AS
    SELECT number, seq, conversation, thread, uuidv7(age) AS id, uuidv7(age) AS turn,
           gen_random_uuid() AS client_id
    FROM filled, generate_series(1, %(messages)s) AS seq,
         LATERAL (SELECT (number - %(conversations)s) * interval '1 minute' AS age) AS ages
    """,
    """
    INSERT INTO message (id, conversation_id, seq, position, speaker, author, text, delivery,
                         language, at)
    SELECT id, conversation, seq, seq,
           CASE seq %% 2 WHEN 1 THEN 'customer' ELSE 'bot' END,
           CASE seq %% 2 WHEN 1 THEN thread END,
           CASE seq %% 2 WHEN 1 THEN 'How do I get this to work again? ' || number || '/' || seq
                ELSE repeat('Open the settings and choose your account. ', 12) END,
           CASE seq %% 2 WHEN 1 THEN 'not_sent' ELSE 'sent' END, 'en', now()
    FROM said ORDER BY number, seq
    """,
    """
    INSERT INTO inbound_event (account_id, key, kind, message_id, raw_blob)
    SELECT 'webchat', 'post:' || thread || '/' || client_id, 'MessagePosted', id,
           'raw/2026/01/01/' || id || '.jsonl#0'
    FROM said WHERE seq %% 2 = 1 ORDER BY number, seq
    """,
    """
    INSERT INTO remote_message (account_id, remote_id, message_id)
    SELECT 'webchat', thread || '/' || client_id, id
    FROM said WHERE seq %% 2 = 1 ORDER BY number, seq
    """,
    """
    INSERT INTO turn (id, conversation_id, episode, status, attempts, first_seq, last_seq,
                      finished_at, intent, confidence)
    SELECT turn, conversation, 1, 'done', 1, seq, seq, now(), 'ask_question', 0.9
    FROM said WHERE seq %% 2 = 1 ORDER BY number, seq
    """,
    """
    INSERT INTO choice (id, message_id, conversation_id, label, intent)
    SELECT uuidv7(), id, conversation, label, 'helped'
    FROM said, unnest(ARRAY['Yes', 'No']) AS label WHERE seq %% 2 = 0 ORDER BY number, seq
    """,
    """
    INSERT INTO feed (id, kind, conversation_id)
    SELECT uuidv7(), 'message', conversation FROM said ORDER BY number, seq
    """,
)

# Through the server, because where its files are is its own business. A relation's file goes on
# in another after each gigabyte.
_READ_ONCE = """
    SELECT coalesce(sum(length(pg_read_binary_file(
        path || CASE WHEN segment > 0 THEN '.' || segment ELSE '' END,
        start - segment * 1073741824, 16777216, true))), 0)
    FROM (SELECT pg_relation_filepath(oid) AS path, pg_relation_size(oid) AS size
          FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm')) AS relation,
         generate_series(0, size - 1, 16777216) AS start,
         LATERAL (SELECT start / 1073741824 AS segment) AS part
"""


class Server:
    """A PostgreSQL server on which databases come and go."""

    def __init__(self, url: str) -> None:
        self._url = libpq_url(url)

    def url_of(self, database: str) -> str:
        """Return the address of `database` on this server."""
        head, _, tail = self._url.partition("?")
        return f"{head.rpartition('/')[0]}/{database}?{tail}"

    async def settings(self, *names: str) -> dict[str, str]:
        """Return what the server says it is set to."""
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            rows = await connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(names)]
            )
            return {name: setting async for name, setting in rows}

    async def create(self, database: str, *, messages: int) -> None:
        """Make `database` anew, with the desk's schema and `messages` in it."""
        await self._recreate(database, sql.SQL(""))
        await self._migrate(database)
        numbers = {
            "conversations": messages // MESSAGES_PER_CONVERSATION,
            "messages": MESSAGES_PER_CONVERSATION,
        }
        async with await self._connect(database) as connection:
            if messages:
                async with connection.transaction():
                    for statement in _FILL:
                        await connection.execute(statement, numbers)
            await connection.execute("VACUUM ANALYZE")

    async def holds(self, database: str, *, tickets: int) -> bool:
        """Return whether `database` is there with the figures of so many tickets.

        If it is there, its schema is now this version's.
        """
        async with await self._connect() as connection:
            rows = await connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [database]
            )
            if await rows.fetchone() is None:
                return False
        await self._migrate(database)
        async with await self._connect(database) as connection:
            rows = await connection.execute("SELECT count(*) = %s FROM ticket_figure", [tickets])
            return await rows.fetchone() == (True,)

    async def create_empty(self, database: str) -> None:
        """Make `database` anew, without a schema."""
        await self._recreate(database, sql.SQL(""))

    @asynccontextmanager
    async def copied(self, template: str) -> AsyncIterator[str]:
        """Yield the name of a copy of `template`, gone after the block."""
        name = f"{template}_copy"
        await self._recreate(
            name, sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        )
        try:
            yield name
        finally:
            await self.drop(name)

    async def drop(self, database: str) -> None:
        """Remove `database`, if it is there."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        async with await self._connect() as connection:
            await connection.execute(statement.format(sql.Identifier(database)))

    async def read_once(self, database: str) -> int:
        """Read every table and index of `database` once; return how many bytes that were.

        They are in the system's memory then, as far as it has room for them.
        """
        async with await self._connect(database) as connection:
            rows = await connection.execute(_READ_ONCE)
            ((size,),) = await rows.fetchall()
            return int(size)

    async def checkpoint(self) -> None:
        """Have everything written to disk, so that no later block pays for an earlier one."""
        async with await self._connect() as connection:
            await connection.execute("CHECKPOINT")

    async def found(self, database: str, keys: list[str]) -> int:
        """Return how many messages `database` holds for the events of these keys."""
        async with await self._connect(database) as connection:
            rows = await connection.execute(
                "SELECT count(*) FROM inbound_event JOIN message ON message.id = message_id"
                " WHERE account_id = 'webchat' AND key = ANY(%s)",
                [keys],
            )
            ((count,),) = await rows.fetchall()
            return int(count)

    async def has_worker(self, database: str) -> None:
        """Return once a worker has shown a sign of life in `database`."""
        async with await self._connect(database) as connection:
            while True:
                rows = await connection.execute("SELECT FROM process_beat WHERE kind = 'worker'")
                if await rows.fetchone() is not None:
                    return
                await asyncio.sleep(_POLL_SECONDS)

    async def _migrate(self, database: str) -> None:
        engine = open_engine(self.url_of(database))
        try:
            await migrate(engine)
        finally:
            await engine.dispose()

    async def _recreate(self, database: str, options: sql.Composable) -> None:
        await self.drop(database)
        async with await self._connect() as connection:
            await connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)) + options
            )

    async def _connect(self, database: str = "postgres") -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self.url_of(database), autocommit=True)
