"""A database with a year of tickets, which the measurements of lists and of reports share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
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


async def read_once(server: Server) -> str:
    """Have everything in the system's memory, as with a desk in use; return what that took.

    Before each kind of page: some systems soon take back what nobody has read for a while.
    """
    began = time.perf_counter()
    size = await server.read_once(DATABASE)
    return f"read {size / 1e9:.1f} GB once in {time.perf_counter() - began:.0f} s"
