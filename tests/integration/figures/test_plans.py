"""What is asked every second, and what a report asks, goes by an index among 100,000 rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.figures import Dimension, Period
from core.services.figures.backlog import backlog_by
from core.services.figures.counting import report
from core.services.sla.clocks import ClocksOfTickets, ClockSweep
from core.services.sla.closing import ClosingSweep
from core.services.sla.rules import PromiseBook
from core.storage.engine import Sessions

_ROWS = 100_000
# The tickets these rows belong to are not needed for a plan.
_FILL = (
    "SET LOCAL session_replication_role = replica",
    (
        "INSERT INTO sla_clock (ticket_id, kind, round, target_seconds, started_at, spent_seconds,"
        " warn_at, due_at) SELECT gen_random_uuid(), 'resolution', 1, 60, now(), 0,"
        " now() + n * interval '1 minute', now() + n * interval '2 minutes'"
        f" FROM generate_series(1, {_ROWS}) n"
    ),
    (
        "INSERT INTO sla_ticket (ticket_id, asked_at, end_at, remind_at, revision)"
        " SELECT gen_random_uuid(), now(), now() + n * interval '1 minute',"
        f" now() + n * interval '1 minute', 1000000 FROM generate_series(1, {_ROWS}) n"
    ),
    (
        "INSERT INTO figure_sum (dimension, span, first, value, opened, solved, counts)"
        " SELECT (ARRAY['all', 'agent', 'hour', 'reason'])[1 + mod(n, 4)], 'day',"
        " now()::date - n / 100, mod(n, 97)::text, 1, 1, int4send(1000) || int4send(1)"
        f" FROM generate_series(1, {_ROWS}) n ON CONFLICT DO NOTHING"
    ),
)


@pytest.fixture
async def filled(engine: AsyncEngine, sessions: Sessions) -> Sessions:
    async with sessions.begin() as session:
        for statement in _FILL:
            await session.execute(text(statement))
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE sla_clock, sla_ticket, figure_sum"))
    return sessions


class Asked:
    """Collects the statements that an engine is asked, with their values."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.statements: list[tuple[str, object]] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _: object, __: object, statement: str, values: object, *___: object) -> None:
        if statement.startswith("SELECT"):
            self.statements.append((statement, values))


async def _plans(engine: AsyncEngine, asked: Asked) -> list[str]:
    """Return how the database goes about what was asked."""
    found = []
    for statement, values in list(asked.statements):
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
            found.append("\n".join(row[0] for row in rows))
    return found


async def _scanned(engine: AsyncEngine, asked: Asked, *tables: str) -> list[str]:
    """Return the plans of what was asked that read one of `tables` from end to end."""
    return [
        plan
        for plan in await _plans(engine, asked)
        for table in tables
        if f"Seq Scan on {table}" in plan
    ]


async def test_the_sweeps_find_what_is_due_by_index(engine: AsyncEngine, filled: Sessions) -> None:
    book = PromiseBook()
    sweep = ClockSweep(filled, {}, ClocksOfTickets(timedelta(hours=1), book))
    asked = Asked(engine)
    assert await sweep.note_due() == 0
    assert await sweep.apply_new_rules() == 0
    assert await ClosingSweep(filled, {}, book).end_due() == 0
    assert await _scanned(engine, asked, "sla_clock", "sla_ticket") == []
    assert len(asked.statements) >= 4


async def test_a_report_reads_its_days_by_index(engine: AsyncEngine, filled: Sessions) -> None:
    today = datetime.now(UTC).date()
    asked = Asked(engine)
    async with filled() as session:
        await report(
            session, Period(first=today - timedelta(days=29), last=today), Dimension.PRIORITY
        )
    assert await _scanned(engine, asked, "figure_sum") == []


async def test_only_what_medians_are_of_is_read_from_the_sums_themselves(
    engine: AsyncEngine, filled: Sessions
) -> None:
    """Opened and solved by day, of a whole year, are in the index: no counts are read for them."""
    today = datetime.now(UTC).date()
    year = Period(first=today - timedelta(days=364), last=today)
    asked = Asked(engine)
    async with filled() as session:
        found = await report(session, year, Dimension.REASON)
        waited = await backlog_by(session, year, Dimension.REASON, waiting={})
    assert found.lines
    assert waited == []  # as many were solved as opened
    plans = [plan for plan in await _plans(engine, asked) if "figure_sum" in plan]
    reading = [plan for plan in plans if "Index Only Scan using pk_figure_sum" not in plan]
    assert len(plans) >= 5
    assert len(reading) == 1, "\n\n".join(reading)
