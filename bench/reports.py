"""How long a report takes among very many tickets, and how long it takes to count a day of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import psycopg

from bench.report import Figure, at_most
from bench.stored import Server
from bench.timings import in_ms, median, percentile
from core.domain.figures import Dimension, Period
from core.services.figures.counting import report
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.queries.figures import count_day, sum_next_month

_DATABASE = "bench_reports"
_DAYS = 365
_ROUNDS = 40
_TARGET_MS = 300.0

# A year of tickets: five channels, 20 teams, 200 agents, 50 categories; one in twenty still open.
_FILL = (
    "SET synchronous_commit = off",
    "INSERT INTO contact (id) VALUES ('00000000-0000-0000-0000-000000000001')",
    """
    INSERT INTO account (id, channel)
    SELECT 'a' || n, (ARRAY['email', 'webchat', 'slack', 'telegram', 'teams'])[n]
    FROM generate_series(1, 5) n
    """,
    """
    CREATE TABLE drawn AS
    SELECT n, uuidv7(- age) AS conversation, uuidv7(- age) AS ticket, now() - age AS opened,
           exp(8 + 1.2 * sqrt(-2 * ln(1 - random())) * cos(6.2832 * random()))::int AS first,
           exp(11 + 1.2 * sqrt(-2 * ln(1 - random())) * cos(6.2832 * random()))::int AS whole,
           1 + (random() * 4)::int AS account, (random() * 199)::int AS agent,
           (random() * 49)::int AS category, random() < 0.05 AS is_open
    FROM generate_series(1, %(tickets)s) n,
         LATERAL (SELECT (%(tickets)s - n) * (%(days)s * interval '1 day' / %(tickets)s) AS age) a
    """,
    """
    INSERT INTO conversation (id, account_id, thread, contact_id, responder, last_message_at,
                              created_at)
    SELECT conversation, 'a' || account, n::text,
           '00000000-0000-0000-0000-000000000001'::uuid, 'closed', opened, opened FROM drawn
    ORDER BY n
    """,
    """
    INSERT INTO ticket (id, conversation_id, contact_id, status, priority, reason, subject,
                        language, created_at, first_response_at, solved_at)
    SELECT ticket, conversation, '00000000-0000-0000-0000-000000000001'::uuid,
           CASE WHEN is_open THEN 'open' ELSE 'closed' END, 'normal', 'problem_reported', 'x',
           'en', opened, opened + first * interval '1 second',
           CASE WHEN NOT is_open THEN opened + whole * interval '1 second' END FROM drawn
    ORDER BY n
    """,
    """
    INSERT INTO ticket_figure (ticket_id, opened_at, solved_at, channel, team_id, agent_id,
        category_id, priority, reason, times_reopened, first_response, first_response_business,
        next_response, next_response_business, resolution, resolution_business, kept, broken)
    SELECT ticket, opened, CASE WHEN NOT is_open THEN opened + whole * interval '1 second' END,
           (ARRAY['email', 'webchat', 'slack', 'telegram', 'teams'])[account],
           md5('team' || mod(agent, 20))::uuid, md5('agent' || agent)::uuid,
           md5('category' || category)::uuid,
           (ARRAY['low', 'normal', 'high', 'urgent'])[1 + mod(n, 4)],
           (ARRAY['asked_for_human', 'problem_reported', 'not_helped'])[1 + mod(n, 3)],
           (random() < 0.05)::int, first, first / 3, first, first / 3,
           CASE WHEN NOT is_open THEN whole END, CASE WHEN NOT is_open THEN whole / 3 END, 2, 0
    FROM drawn ORDER BY n
    """,
    "DROP TABLE drawn",
    "VACUUM ANALYZE",
)


async def measure(
    server: Server, *, tickets: int, keep: bool, say: Callable[[str], None]
) -> list[Figure]:
    """Fill a database with a year of tickets, count its days, and ask for reports.

    With `keep`, a database that an earlier run kept is used again, and this one stays.
    """
    url = server.url_of(_DATABASE)
    if not (keep and await server.holds(_DATABASE, tickets=tickets)):
        await server.create(_DATABASE, messages=0)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for statement in _FILL:
                say(" ".join(statement.split()[:3]))
                values = {"tickets": tickets, "days": _DAYS}
                await connection.execute(statement, values if "%(" in statement else None)
    engine = open_engine(url)
    try:
        sessions = sessions_of(engine)
        say("counting each day")
        counted = await _count(sessions)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("VACUUM ANALYZE figure_sum")
        figures = [
            Figure(what=f"counting a day of {tickets // _DAYS:,} tickets", measured=in_ms(counted))
        ]
        for days in (30, 90, _DAYS):
            for by in (Dimension.CHANNEL, Dimension.AGENT):
                await server.read_once(_DATABASE)
                figures.append(await _asked(sessions, tickets, days, by))
        return figures
    finally:
        await engine.dispose()
        if not keep:
            await server.drop(_DATABASE)


async def _count(sessions: Sessions) -> list[float]:
    """Count every day once; return how long the last thirty took."""
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
    return waits[-30:]


async def _asked(sessions: Sessions, tickets: int, days: int, by: Dimension) -> Figure:
    last: date = datetime.now(UTC).date()
    period = Period(first=last - timedelta(days=days - 1), last=last)
    waits: list[float] = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        async with sessions() as session:
            await report(session, period, by)
        waits.append(time.perf_counter() - began)
    what = f"report of {days} days by {by}, {tickets:,} tickets, p95"
    note = f" (p50 {median(waits) * 1000:.0f} ms)"
    return at_most(what, percentile(waits, 95) * 1000, _TARGET_MS, "ms", note=note)
