"""Counts figures by day, and adds the counts up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.figures import GROWTH, Buckets, Dimension, Measure, Period
from core.domain.ticket import TicketStatus
from core.storage.tables import AgentRow, Category, FigureCount, FigureZone, Team, Ticket

_WAITING = (TicketStatus.NEW, TicketStatus.OPEN, TicketStatus.PENDING, TicketStatus.ON_HOLD)

_BUCKET = f"floor(ln(greatest({{0}}, 0) + 1) / ln({GROWTH}))::int"

_DIMENSIONS = """
    ('all', ''), ('channel', coalesce(f.channel, '')), ('team', coalesce(f.team_id::text, '')),
    ('agent', coalesce(f.agent_id::text, '')), ('category', coalesce(f.category_id::text, '')),
    ('priority', f.priority), ('reason', f.reason),
    ('hour', extract(hour FROM f.opened_at AT TIME ZONE :zone)::int::text),
    ('weekday', extract(isodow FROM f.opened_at AT TIME ZONE :zone)::int::text)"""


def _counted(column: str, measures: str) -> str:
    return (
        "INSERT INTO figure_count (day, dimension, value, measure, bucket, count)"  # noqa: S608
        " SELECT :day, d.dimension, d.value, m.measure, m.bucket, sum(m.count)"
        f" FROM ticket_figure f CROSS JOIN LATERAL (VALUES {_DIMENSIONS}) d (dimension, value)"
        f" CROSS JOIN LATERAL (VALUES {measures}) m (measure, bucket, count)"
        f" WHERE f.{column} >= :start AND f.{column} < :end"
        " AND m.bucket IS NOT NULL AND m.count > 0 GROUP BY 2, 3, 4, 5"
    )


def _times(*names: str) -> str:
    return ", ".join(f"('{name}', {_BUCKET.format('f.' + name)}, 1)" for name in names)


_OPENED = _counted(
    "opened_at",
    "('opened', 0, 1), ('kept', 0, f.kept::int), ('broken', 0, f.broken::int), "
    + _times(
        "first_response", "first_response_business", "next_response", "next_response_business"
    ),
)
_SOLVED = _counted(
    "solved_at",
    "('solved', 0, 1), ('reopened', 0, least(f.times_reopened, 1)::int), "
    + _times("resolution", "resolution_business"),
)
_SCORES = """
    INSERT INTO figure_count (day, dimension, value, measure, bucket, count)
    SELECT :day, d.dimension, d.value, 'score', s.score, count(*) FROM satisfaction s
    CROSS JOIN LATERAL (VALUES ('all', ''), ('channel', coalesce(s.channel, '')),
        ('team', coalesce(s.team_id::text, '')), ('agent', coalesce(s.agent_id::text, '')),
        ('category', coalesce(s.category_id::text, ''))) d (dimension, value)
    WHERE s.answered_at >= :start AND s.answered_at < :end AND s.score IS NOT NULL
    GROUP BY 2, 3, 4, 5"""
_CONVERSATIONS = """
    INSERT INTO figure_count (day, dimension, value, measure, bucket, count)
    SELECT :day, d.dimension, d.value, m.measure, 0, count(*)
    FROM conversation c LEFT JOIN account a ON a.id = c.account_id
    CROSS JOIN LATERAL (VALUES ('all', ''),
        ('channel', coalesce(a.channel, c.account_id))) d (dimension, value)
    CROSS JOIN LATERAL (VALUES ('conversations', true), ('alone',
        NOT EXISTS (SELECT FROM ticket t WHERE t.conversation_id = c.id))) m (measure, holds)
    WHERE c.created_at >= :start AND c.created_at < :end AND c.side_of IS NULL
      AND coalesce(a.origin, '') <> 'rehearsal' AND m.holds
    GROUP BY 2, 3, 4"""


async def count_day(session: AsyncSession, day: date, zone: str) -> None:
    """Count one day of `zone` anew."""
    clock = ZoneInfo(zone)
    start = datetime.combine(day, time(), clock).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), clock).astimezone(UTC)
    await session.execute(delete(FigureCount).where(FigureCount.day == day))
    bounds = {"day": day, "start": start, "end": end}
    for statement in (_OPENED, _SOLVED):
        await session.execute(text(statement), {**bounds, "zone": zone})
    for statement in (_SCORES, _CONVERSATIONS):
        await session.execute(text(statement), bounds)


Counts = Mapping[str, Mapping[Measure, Buckets]]
"""What was counted, by value of a dimension, measure and bucket."""


async def counts(
    session: AsyncSession,
    period: Period,
    dimensions: Collection[Dimension],
    measures: Collection[Measure] = tuple(Measure),
) -> Mapping[Dimension, Counts]:
    """Return what was counted of `measures` in a period, told apart by each of `dimensions`."""
    rows = await session.execute(
        select(
            FigureCount.dimension,
            FigureCount.value,
            FigureCount.measure,
            FigureCount.bucket,
            func.sum(FigureCount.count),
        )
        .where(
            FigureCount.dimension.in_(dimensions),
            FigureCount.measure.in_(measures),
            FigureCount.day.between(period.first, period.last),
        )
        .group_by(FigureCount.dimension, FigureCount.value, FigureCount.measure, FigureCount.bucket)
    )
    found: dict[Dimension, dict[str, dict[Measure, dict[int, int]]]] = {
        dimension: {} for dimension in dimensions
    }
    for dimension, value, measure, bucket, count in rows:
        by_measure = found[Dimension(dimension)].setdefault(value, {})
        by_measure.setdefault(Measure(measure), {})[bucket] = int(count)
    return found


async def flow_since(session: AsyncSession, first: date) -> Mapping[Measure, Mapping[date, int]]:
    """Return how many tickets were opened and solved on each day from `first` on."""
    rows = await session.execute(
        select(FigureCount.measure, FigureCount.day, FigureCount.count).where(
            FigureCount.dimension == Dimension.ALL,
            FigureCount.day >= first,
            FigureCount.measure.in_((Measure.OPENED, Measure.SOLVED)),
        )
    )
    found: dict[Measure, dict[date, int]] = {Measure.OPENED: {}, Measure.SOLVED: {}}
    for measure, day, count in rows:
        found[Measure(measure)][day] = count
    return found


async def counted_zone(session: AsyncSession) -> str:
    """Return the time zone by which days are counted."""
    return await session.scalar(select(FigureZone.zone)) or "UTC"


async def waiting_now(session: AsyncSession) -> int:
    """Return how many tickets are neither solved nor closed."""
    count = await session.scalar(
        select(func.count()).select_from(Ticket).where(Ticket.status.in_(_WAITING))
    )
    return count or 0


async def names_of(
    session: AsyncSession, dimension: Dimension, values: Sequence[str]
) -> Mapping[str, str]:
    """Return what teams, agents and categories among `values` are called."""
    tables: dict[Dimension, Any] = {
        Dimension.TEAM: Team,
        Dimension.AGENT: AgentRow,
        Dimension.CATEGORY: Category,
    }
    table = tables.get(dimension)
    if table is None:
        return {}
    ids = [UUID(value) for value in values if value]
    rows = await session.execute(select(table.id, table.name).where(table.id.in_(ids)))
    return {str(row.id): row.name for row in rows}
