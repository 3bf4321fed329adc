"""How long a report takes among very many tickets, and how long it takes to count a day of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.loading import loaded, signed_in
from bench.report import Figure
from bench.stored import Server
from bench.timings import in_ms
from bench.year import reader_of, year_of
from core.domain.figures import Dimension
from core.services.figures.backlog import TOLD_APART
from core.settings import Settings
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.queries.figures.figures import count_day, sum_next_month

_DAYS = 365
_PERIODS = (7, 30, 90, _DAYS)
_ROUNDS = 40


async def measure(
    server: Server,
    home: Path,
    *,
    tickets: int,
    keep: bool,
    only: re.Pattern[str],
    say: Callable[[str], None],
) -> list[Figure]:
    """Fill a database with a year of tickets, count its days, and ask for reports by the API.

    Of them, those in whose names `only` is found.
    """
    async with year_of(server, tickets, keep=keep, say=say) as url:
        say("counting each day")
        counted = await _count(url)
        figures = [
            Figure(what=f"counting a day of {tickets // _DAYS:,} tickets", measured=in_ms(counted))
        ]
        async with signed_in(Settings(home=home, database_url=url)) as client:
            addresses = {what: [path] * _ROUNDS for what, path in _reports().items()}
            figures += await loaded(client, addresses, reader_of(server, say), only=only, say=say)
        return figures


def _reports() -> dict[str, str]:
    """Return the addresses to load by what they are."""
    today = datetime.now(UTC).date()
    found = {"page of reports, 30 days": "/console/reports"}
    for days in _PERIODS:
        first = today - timedelta(days=days - 1)
        asked = f"from={first}&to={today}"
        for by in Dimension:
            if by != Dimension.ALL:
                found[f"report of {days} days by {by}"] = f"/api/v1/reports?{asked}&by={by}"
        for by in TOLD_APART:
            found[f"backlog of {days} days by {by}"] = f"/api/v1/reports/backlog?{asked}&by={by}"
        found[f"page of reports, {days} days by agent"] = f"/console/reports?{asked}&by=agent"
    return found


async def _count(url: str) -> list[float]:
    """Count every day once; return how long the last thirty took."""
    engine = open_engine(url)
    try:
        sessions = sessions_of(engine)
        waits = await _count_days(sessions)
    finally:
        await engine.dispose()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE figure_sum")
    return waits[-30:]


async def _count_days(sessions: Sessions) -> list[float]:
    today = datetime.now(UTC).date()
    waits: list[float] = []
    for ahead in range(_DAYS + 1):
        began = time.perf_counter()
        async with sessions.begin() as session:
            await count_day(session, today - timedelta(days=_DAYS - ahead), "UTC")
        waits.append(time.perf_counter() - began)
    months = 1
    while months:
        async with sessions.begin() as session:
            months = int(await sum_next_month(session, today) is not None)
    return waits
