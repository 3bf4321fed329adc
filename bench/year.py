"""A database with a year of tickets, which the measurements of lists and of reports share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg

from bench.many_tickets import fill
from bench.stored import Server

DATABASE = "bench_year"
MESSAGES = 5
"""In each ticket."""


@asynccontextmanager
async def year_of(
    server: Server, tickets: int, *, keep: bool, say: Callable[[str], None]
) -> AsyncIterator[str]:
    """Yield the address of a database with a year of `tickets`.

    With `keep`, a database that an earlier run kept is used again, and this one stays.
    """
    url = server.url_of(DATABASE)
    try:
        if not (keep and await server.holds(DATABASE, tickets=tickets)):
            await server.create(DATABASE, messages=0)
            began = time.perf_counter()
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await fill(connection, tickets=tickets, messages=MESSAGES, say=say)
                await connection.execute("VACUUM ANALYZE")
            say(f"filled in {time.perf_counter() - began:.0f} s")
        yield url
    finally:
        if not keep:
            await server.drop(DATABASE)


def reader_of(server: Server, say: Callable[[str], None]) -> Callable[[], Awaitable[None]]:
    """Return what reads the database once, so that it is in the system's memory."""

    async def read_once() -> None:
        began = time.perf_counter()
        size = await server.read_once(DATABASE)
        say(f"read {size / 1e9:.1f} GB once in {time.perf_counter() - began:.0f} s")

    return read_once
