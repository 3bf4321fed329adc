"""How long the queue, the search and a ticket's page take among very many tickets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.many_tickets import fill, word
from bench.report import Figure, at_most
from bench.stored import Server
from bench.timings import median, percentile
from core.domain.actor import Role
from core.domain.errors import Conflict
from core.runtime.machine.memory import settle
from core.settings import Settings
from core.wiring.parts import open_parts
from core.wiring.web import build_app

_DATABASE = "bench_lists"
_ROUNDS = 40
_TARGET_MS = 300.0
_MESSAGES = 5
_EMAIL, _PASSWORD = "bench@example.org", "correct horse battery"


async def measure(
    server: Server, home: Path, *, tickets: int, keep: bool, say: Callable[[str], None]
) -> list[Figure]:
    """Fill a database, sign in to a web application over it, and load pages.

    With `keep`, a database that an earlier run kept is used again, and this one stays.
    """
    url = server.url_of(_DATABASE)
    try:
        if not (keep and await server.holds(_DATABASE, tickets=tickets)):
            await server.create(_DATABASE, messages=0)
            await _fill(url, tickets, say)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            last = await _latest(connection, tickets)
        settings = Settings(home=home, database_url=url)
        async with _signed_in(settings) as client:
            figures = []
            for what, paths in _pages(tickets, last).items():
                say(await _read_once(server))
                figures.append(await _loaded(client, what, paths, tickets, say))
            return figures
    finally:
        if not keep:
            await server.drop(_DATABASE)


async def _read_once(server: Server) -> str:
    """Have everything in the system's memory, as with a desk in use; return what that took.

    Before each kind of page: some systems soon take back what nobody has read for a while.
    """
    began = time.perf_counter()
    size = await server.read_once(_DATABASE)
    return f"read {size / 1e9:.1f} GB once in {time.perf_counter() - began:.0f} s"


async def _fill(url: str, tickets: int, say: Callable[[str], None]) -> None:
    began = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await fill(connection, tickets=tickets, messages=_MESSAGES, say=say)
        await connection.execute("VACUUM ANALYZE")
    say(f"filled in {time.perf_counter() - began:.0f} s")


def _pages(tickets: int, last: Sequence[int]) -> dict[str, list[str]]:
    """Return the addresses to load by what they are; no search comes twice."""
    rare = [word(1000 + 37 * n) for n in range(_ROUNDS)]
    usual = [word(40 + n) for n in range(_ROUNDS)]
    common = [word(n % 10) for n in range(_ROUNDS)]
    numbers = [1 + n * (tickets // _ROUNDS) for n in range(_ROUNDS)]
    slips = [f"{one[:-3]}q{one[-2:]}" for one in rare]
    search = "/console/search?q="
    return {
        "queue page: unassigned": ["/console/queue?tab=unassigned"] * _ROUNDS,
        "queue page: all open": ["/console/queue?tab=all"] * _ROUNDS,
        "queue page: late or due soon": ["/console/queue?tab=breaching"] * _ROUNDS,
        "queue page: solved and closed": ["/console/queue?tab=solved"] * _ROUNDS,
        "ticket page": [f"/console/tickets/{number}" for number in last],
        "search: a word of one ticket": [f"{search}{n}x" for n in numbers],
        "search: a rare word": [search + one for one in rare],
        "search: a usual word": [search + one for one in usual],
        "search: one of the ten commonest words": [search + one for one in common],
        "search: two words": [f"{search}{a}+{b}" for a, b in zip(rare, usual, strict=True)],
        "search: a usual word and a common one": [
            f"{search}{a}+{b}" for a, b in zip(usual, common, strict=True)
        ],
        "search: a mistyped word": [search + one for one in slips],
        "search: a person's address": [f"{search}person{n}@example.org" for n in range(_ROUNDS)],
        "requesters by name": [f"/console/requesters?q={word(n * 3)}" for n in range(_ROUNDS)],
    }


async def _loaded(
    client: httpx.AsyncClient,
    what: str,
    paths: Sequence[str],
    tickets: int,
    say: Callable[[str], None],
) -> Figure:
    waits: list[float] = []
    for path in paths:
        began = time.perf_counter()
        answer = await client.get(path)
        waits.append(time.perf_counter() - began)
        answer.raise_for_status()
    note = f" (p50 {median(waits) * 1000:.0f} ms, slowest {max(waits) * 1000:.0f} ms)"
    name = f"{what}, {tickets:,} tickets, {tickets * _MESSAGES:,} messages, p95"
    say(f"{what}: {percentile(waits, 95) * 1000:.0f} ms{note}")
    return at_most(name, percentile(waits, 95) * 1000, _TARGET_MS, "ms", note=note)


async def _latest(connection: psycopg.AsyncConnection, tickets: int) -> list[int]:
    """Return the numbers of tickets of the whole year, in no order."""
    rows = await connection.execute(
        "SELECT number FROM ticket WHERE mod(number, %s) = 0 LIMIT %s",
        [max(1, tickets // (_ROUNDS * 2)), _ROUNDS],
    )
    return [number for (number,) in await rows.fetchall()]


@asynccontextmanager
async def _signed_in(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the web application that a lead has signed in to."""
    async with open_parts(settings, "bench") as parts:
        with suppress(Conflict):  # from an earlier run
            agent = await parts.access.add_agent(_EMAIL, "Bench", Role.LEAD)
            await parts.access.set_password(agent.id, _PASSWORD)
    app: Any = build_app(settings)
    settle()  # as a web server does when it starts
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url=settings.base_url, timeout=120
    ) as client:
        answer = await client.post(
            "/console/sign-in", data={"email": _EMAIL, "password": _PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        yield client
