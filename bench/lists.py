"""How long the queue, the search, a ticket's page and the API's lists take among very many."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from bench.list_addresses import ROUNDS, Known, Seen, api_lists, pages, view_lists
from bench.loading import loaded, signed_in
from bench.report import Figure
from bench.stored import Server
from bench.year import MESSAGES, reader_of, year_of
from core.settings import Settings


async def measure(
    server: Server,
    home: Path,
    *,
    tickets: int,
    keep: bool,
    only: re.Pattern[str],
    say: Callable[[str], None],
) -> list[Figure]:
    """Fill a database, sign in to a web application over it, and load pages and lists.

    Of them, those in whose names `only` is found.
    """
    async with year_of(server, tickets, keep=keep, say=say) as url:
        known = await _known(url, tickets)
        settings = Settings(home=home, database_url=url)
        among = f"{tickets:,} tickets, {tickets * MESSAGES:,} messages in them"
        figures = [Figure(what="pages and lists among", measured=among)]
        async with signed_in(settings) as client:
            addresses = {**pages(known), **api_lists(known), **await view_lists(client, known)}
            figures += await loaded(client, addresses, reader_of(server, say), only=only, say=say)
        return figures


async def _known(url: str, tickets: int) -> Known:
    """Look up what addresses name."""
    columns = ", ".join(field.name for field in fields(Seen))
    every = max(1, tickets // (ROUNDS * 2))
    async with (
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
        connection.cursor(row_factory=class_row(Seen)) as cursor,
    ):
        some = f"SELECT {columns} FROM ticket WHERE mod(number, {every}) = 0 LIMIT {ROUNDS}"
        of_the_year = await (await cursor.execute(some.encode())).fetchall()
        some = (
            f"SELECT {columns} FROM ticket WHERE status IN ('new', 'open', 'pending', 'on_hold')"
            f" ORDER BY md5(id::text) LIMIT {ROUNDS}"
        )
        live = await (await cursor.execute(some.encode())).fetchall()
        webhook = (await _column(connection, "SELECT min(id::text)::uuid FROM webhook"))[0]
        return Known(
            tickets=tickets,
            any=of_the_year,
            live=live,
            conversations=await _some(connection, "conversation"),
            calls=await _some(connection, "webhook_delivery", f"webhook_id = '{webhook}'"),
            webhook=webhook,
            entries=await _some(connection, "audit_entry"),
        )


async def _some(
    connection: psycopg.AsyncConnection, table: str, which: str = "true"
) -> Sequence[Any]:
    return await _column(
        connection, f"SELECT id FROM {table} WHERE {which} ORDER BY random() LIMIT {ROUNDS}"
    )


async def _column(connection: psycopg.AsyncConnection, query: str) -> Sequence[Any]:
    rows = await connection.execute(query.encode())
    return [one for (one,) in await rows.fetchall()]
