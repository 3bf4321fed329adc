"""Counts figures by day, and adds the counts up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Uuid,
    and_,
    any_,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.figures import GROWTH, Buckets, Dimension, Measure, Period
from core.domain.ids import TeamId
from core.storage.packed_counts import CountsSum, added, code_of
from core.storage.queries.figures.unaided import UNAIDED
from core.storage.queries.tickets.filter import LIVE, written_out
from core.storage.tables import (
    AgentRow,
    Category,
    FigureSum,
    FigureZone,
    Team,
    Ticket,
    TicketFigure,
)

BUCKET = f"floor(ln(greatest({{0}}, 0) + 1) / ln({GROWTH}))::int"
"""The bucket that a length of time in seconds falls in, in SQL."""

_DIMENSIONS = {
    Dimension.CHANNEL: "f.channel",
    Dimension.TEAM: "f.team_id",
    Dimension.AGENT: "f.agent_id",
    Dimension.CATEGORY: "f.category_id",
    Dimension.PRIORITY: "f.priority",
    Dimension.REASON: "f.reason",
    Dimension.HOUR: "extract(hour FROM f.opened_at AT TIME ZONE :zone)::int",
    Dimension.WEEKDAY: "extract(isodow FROM f.opened_at AT TIME ZONE :zone)::int",
}
"""What a ticket's value in each dimension is worked out from; `all` is beside them."""


def _each_dimension(found: str) -> str:
    """Return the part of a statement that says which dimension a grouping set is of."""
    return " ".join(f"WHEN grouping(f_{one}) = 0 THEN {found.format(one)}" for one in _DIMENSIONS)


def _counted(column: str, measures: str) -> str:
    """Return the statement that counts tickets in all dimensions in one go.

    Each ticket is looked at once for each of its measures, instead of once for each of them in
    each dimension.
    """
    columns = ", ".join(f"{found} AS f_{one}" for one, found in _DIMENSIONS.items())
    sets = ", ".join(f"(code, f_{one})" for one in _DIMENSIONS)
    name = _each_dimension("'{0}'")
    value = _each_dimension("f_{0}::text")
    return (
        f"SELECT CASE {name} ELSE 'all' END AS dimension, coalesce(CASE {value} END, '') AS value,"  # noqa: S608
        " code, sum(count) AS count"
        f" FROM (SELECT {columns}, m.code + m.bucket AS code, m.count"
        f" FROM ticket_figure f CROSS JOIN LATERAL (VALUES {measures}) m (code, bucket, count)"
        f" WHERE f.{column} >= :start AND f.{column} < :end"
        " AND m.bucket IS NOT NULL AND m.count > 0) AS one"
        f" GROUP BY GROUPING SETS ((code), {sets})"
    )


def _number(measure: Measure, count: str) -> str:
    return f"({code_of(measure)}, 0, {count})"


def _times(*measures: Measure) -> str:
    return ", ".join(
        f"({code_of(measure)}, {BUCKET.format('f.' + measure)}, 1)" for measure in measures
    )


_OF_OPENED = ", ".join(
    (
        _number(Measure.OPENED, "1"),
        _number(Measure.KEPT, "f.kept::int"),
        _number(Measure.BROKEN, "f.broken::int"),
        _times(
            Measure.FIRST_RESPONSE,
            Measure.FIRST_RESPONSE_BUSINESS,
            Measure.NEXT_RESPONSE,
            Measure.NEXT_RESPONSE_BUSINESS,
            Measure.ASSISTANT,
        ),
    )
)
_OF_SOLVED = ", ".join(
    (
        _number(Measure.SOLVED, "1"),
        _number(Measure.REOPENED, "least(f.times_reopened, 1)::int"),
        _times(Measure.RESOLUTION, Measure.RESOLUTION_BUSINESS, Measure.WORK),
    )
)
_SCORES = f"""
    SELECT d.dimension, d.value, s.score + CASE WHEN s.conversation_id IS NULL
               THEN {code_of(Measure.SCORE)} ELSE {code_of(Measure.ASSISTANT_SCORE)} END, count(*)
    FROM satisfaction s
    CROSS JOIN LATERAL (VALUES ('all', '', true), ('channel', coalesce(s.channel, ''), true),
        ('team', coalesce(s.team_id::text, ''), s.conversation_id IS NULL),
        ('agent', coalesce(s.agent_id::text, ''), s.conversation_id IS NULL),
        ('category', coalesce(s.category_id::text, ''), s.conversation_id IS NULL))
        d (dimension, value, holds)
    WHERE d.holds AND s.answered_at >= :start AND s.answered_at < :end AND s.score IS NOT NULL
    GROUP BY 1, 2, 3"""  # noqa: S608
_CONVERSATIONS = f"""
    SELECT d.dimension, d.value, m.code, count(*)
    FROM conversation c LEFT JOIN account a ON a.id = c.account_id
    CROSS JOIN LATERAL (VALUES ('all', ''),
        ('channel', coalesce(a.channel, c.account_id))) d (dimension, value)
    CROSS JOIN LATERAL (VALUES ({code_of(Measure.CONVERSATIONS)}, true),
        ({code_of(Measure.ALONE)}, {UNAIDED})) m (code, holds)
    WHERE c.created_at >= :start AND c.created_at < :end AND c.side_of IS NULL
      AND NOT c.is_spam AND coalesce(a.origin, '') <> 'rehearsal' AND m.holds
    GROUP BY 1, 2, 3"""  # noqa: S608
_COUNT_DAY = text(
    f"""
    INSERT INTO figure_sum (dimension, span, first, value, opened, solved, counts)
    SELECT dimension, 'day', :day, value,
           coalesce(sum(count) FILTER (WHERE code = {code_of(Measure.OPENED)}), 0),
           coalesce(sum(count) FILTER (WHERE code = {code_of(Measure.SOLVED)}), 0),
           string_agg(int4send(code) || int4send(count::int), ''::bytea)
    FROM ({_counted("opened_at", _OF_OPENED)} UNION ALL {_counted("solved_at", _OF_SOLVED)}
          UNION ALL {_SCORES} UNION ALL {_CONVERSATIONS}) AS counted
    GROUP BY dimension, value"""  # noqa: S608
)


class Span(StrEnum):
    """What a stored sum is of."""

    DAY = "day"
    MONTH = "month"


async def count_day(session: AsyncSession, day: date, zone: str) -> None:
    """Count one day of `zone` anew; the sum of its month is to be made again."""
    clock = ZoneInfo(zone)
    start = datetime.combine(day, time(), clock).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), clock).astimezone(UTC)
    stale = ((Span.DAY, day), (Span.MONTH, day.replace(day=1)))
    await session.execute(
        delete(FigureSum).where(
            FigureSum.dimension.in_(list(Dimension)),
            tuple_(FigureSum.span, FigureSum.first).in_(stale),
        )
    )
    await session.execute(_COUNT_DAY, {"day": day, "start": start, "end": end, "zone": zone})


async def sum_next_month(session: AsyncSession, before: date) -> date | None:
    """Add up one month whose days are counted and that has no sum; None where there is none.

    Only months that end before the month of `before`: the days of that one still change.
    """
    sums = select(FigureSum.first).where(
        FigureSum.dimension == Dimension.ALL, FigureSum.span == Span.MONTH
    )
    month = cast(func.date_trunc("month", FigureSum.first), Date)
    first = await session.scalar(
        select(month)
        .where(
            FigureSum.dimension == Dimension.ALL,
            FigureSum.span == Span.DAY,
            FigureSum.first < before.replace(day=1),
            month.not_in(sums),
        )
        .order_by(month.desc())
        .limit(1)
    )
    if first is None:
        return None
    rows = await session.execute(
        select(FigureSum).where(
            FigureSum.dimension.in_(list(Dimension)),
            FigureSum.span == Span.DAY,
            FigureSum.first.between(first, _last_of_month(first)),
        )
    )
    sums_of: dict[tuple[str, str], CountsSum] = defaultdict(CountsSum)
    for row in rows.scalars():
        sums_of[row.dimension, row.value].add(row.counts, opened=row.opened, solved=row.solved)
    await session.execute(
        insert(FigureSum),
        [
            {
                "dimension": dimension,
                "span": Span.MONTH,
                "first": first,
                "value": value,
                "opened": found.opened,
                "solved": found.solved,
                "counts": found.packed(),
            }
            for (dimension, value), found in sums_of.items()
        ],
    )
    return first


Counts = Mapping[str, Mapping[Measure, Buckets]]
"""What was counted, by value of a dimension, measure and bucket."""


async def counts(
    session: AsyncSession, period: Period, dimensions: Collection[Dimension]
) -> Mapping[Dimension, Counts]:
    """Return what was counted in a period, told apart by each of `dimensions`."""
    wanted = {Dimension.ALL, *dimensions}
    while True:
        months = await _summed_months(session, period)
        rows = (
            await session.execute(
                select(
                    FigureSum.dimension,
                    FigureSum.value,
                    func.string_agg(FigureSum.counts, literal(b"")).label("counts"),
                    func.array_agg(FigureSum.first)
                    .filter(FigureSum.span == Span.MONTH)
                    .label("months"),
                )
                .where(FigureSum.dimension.in_(wanted), _parts_of(period, months))
                .group_by(FigureSum.dimension, FigureSum.value)
            )
        ).all()
        seen = {first for row in rows for first in row.months or ()}
        if seen == months:  # else a sum went away in between, because one of its days was counted
            break
    found: dict[Dimension, dict[str, Mapping[Measure, Buckets]]] = {one: {} for one in dimensions}
    for row in rows:
        if (by_value := found.get(Dimension(row.dimension))) is not None:
            by_value[row.value] = added(row.counts)
    return found


async def opened_by(
    session: AsyncSession, period: Period, dimensions: Collection[Dimension]
) -> Mapping[Dimension, Mapping[str, int]]:
    """Return how many tickets were opened in a period under each value, the most first."""
    rows = await session.execute(
        select(FigureSum.dimension, FigureSum.value, func.sum(FigureSum.opened).label("opened"))
        .where(
            FigureSum.dimension.in_(dimensions),
            FigureSum.span == Span.DAY,
            FigureSum.first.between(period.first, period.last),
            FigureSum.opened > 0,
        )
        .group_by(FigureSum.dimension, FigureSum.value)
        .order_by(func.sum(FigureSum.opened).desc(), FigureSum.value)
    )
    found: dict[Dimension, dict[str, int]] = {dimension: {} for dimension in dimensions}
    for dimension, value, opened in rows:
        found[Dimension(dimension)][value] = int(opened)
    return found


async def _summed_months(session: AsyncSession, period: Period) -> set[date]:
    """Return the first days of months that lie in `period` whole and have a sum."""
    rows = await session.scalars(
        select(FigureSum.first).where(
            FigureSum.dimension == Dimension.ALL,
            FigureSum.span == Span.MONTH,
            FigureSum.first.between(period.first, period.last),
        )
    )
    return {first for first in rows if _last_of_month(first) <= period.last}


def _parts_of(period: Period, months: Collection[date]) -> ColumnElement[bool]:
    """Return the condition for the sums of `months`, and for the other days of `period`."""
    days: list[tuple[date, date]] = []
    begins = period.first
    for first in sorted(months):
        if begins < first:
            days.append((begins, first - timedelta(days=1)))
        begins = _last_of_month(first) + timedelta(days=1)
    if begins <= period.last:
        days.append((begins, period.last))
    return or_(
        and_(FigureSum.span == Span.MONTH, FigureSum.first.in_(months)),
        *(and_(FigureSum.span == Span.DAY, FigureSum.first.between(*ends)) for ends in days),
    )


def _last_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


async def flow_since(
    session: AsyncSession, first: date, teams: Collection[TeamId] | None = None
) -> Mapping[date, tuple[int, int]]:
    """Return how many tickets were opened and solved on each day from `first` on.

    With `teams`, only those of these teams.
    """
    query = select(FigureSum.first, func.sum(FigureSum.opened), func.sum(FigureSum.solved)).where(
        FigureSum.dimension == (Dimension.ALL if teams is None else Dimension.TEAM),
        FigureSum.span == Span.DAY,
        FigureSum.first >= first,
    )
    if teams is not None:
        query = query.where(FigureSum.value.in_([str(team) for team in teams]))
    rows = await session.execute(query.group_by(FigureSum.first))
    return {day: (int(opened), int(solved)) for day, opened, solved in rows}


async def counted_zone(session: AsyncSession) -> str:
    """Return the time zone by which days are counted."""
    return await session.scalar(select(FigureZone.zone)) or "UTC"


async def waiting_now(session: AsyncSession, teams: Collection[TeamId] | None = None) -> int:
    """Return how many tickets, of `teams` where some are given, are neither solved nor closed."""
    is_theirs = true() if teams is None else Ticket.team_id.in_(teams)
    count = await session.scalar(
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.status.in_(written_out(LIVE)), is_theirs)
    )
    return count or 0


async def waiting_by(
    session: AsyncSession, dimension: Dimension, teams: Collection[TeamId] | None = None
) -> Mapping[str, int] | None:
    """Return how many tickets wait under each value; None where waiting is not told apart so."""
    known = aliased(TicketFigure)
    any_channel = select(known.channel).where(known.ticket_id == Ticket.id).scalar_subquery()
    columns: Mapping[Dimension, Any] = {
        Dimension.CHANNEL: func.coalesce(TicketFigure.channel, any_channel),
        Dimension.TEAM: Ticket.team_id,
        Dimension.AGENT: Ticket.assignee_id,
        Dimension.CATEGORY: Ticket.category_id,
        Dimension.PRIORITY: Ticket.priority,
        Dimension.REASON: Ticket.reason,
    }
    column = columns.get(dimension)
    if column is None:
        return None
    query = select(column, func.count()).select_from(Ticket)
    if dimension is Dimension.CHANNEL:
        # Of those that wait an index has the channel; one that was opened again a moment ago is not
        # in it yet.
        is_its_own = and_(TicketFigure.ticket_id == Ticket.id, TicketFigure.solved_at.is_(None))
        query = query.outerjoin(TicketFigure, is_its_own)
    is_theirs = true() if teams is None else Ticket.team_id.in_(teams)
    rows = await session.execute(
        query.where(Ticket.status.in_(written_out(LIVE)), is_theirs).group_by(column)
    )
    return {"" if value is None else str(value): count for value, count in rows}


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
    ids = literal([UUID(value) for value in values if value], ARRAY(Uuid()))  # one value to bind
    rows = await session.execute(select(table.id, table.name).where(table.id == any_(ids)))
    return {str(row.id): row.name for row in rows}
