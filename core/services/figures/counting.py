"""Counts days anew on which something has changed, and works out reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import Forbidden
from core.domain.figures import Dimension, Measure, Period, Tally, tally
from core.domain.ids import TeamId
from core.services.sla.rules import PromiseBook
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.figures.figures import (
    Counts,
    count_day,
    counted_zone,
    counts,
    flow_since,
    names_of,
    opened_by,
    sum_next_month,
    waiting_by,
    waiting_now,
)
from core.storage.queries.knowledge.helpfulness import JudgedArticle, judged_articles
from core.storage.tables import (
    Conversation,
    FigureChange,
    FigureSum,
    FigureZone,
    Satisfaction,
    TicketFigure,
)

_LOCK = 0x66_69_67_73  # "figs": only one process counts at a time
_MOST_CHANGES = 20_000
_MOST_DAYS = 3  # counted at once
_PAUSE = timedelta(seconds=10)
_LOOK_AGAIN = timedelta(minutes=10)
_COUNTED = (
    TicketFigure.opened_at,
    TicketFigure.solved_at,
    Conversation.created_at,
    Satisfaction.answered_at,
)  # each moment that puts something on a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was counted under one value of a dimension."""

    value: str  # empty: none
    name: str | None  # of a team, an agent or a category
    tally: Tally
    waiting: int | None  # now; none where that is not told apart so


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures of a period."""

    period: Period
    zone: str
    total: Tally
    opened: Mapping[date, int]
    solved: Mapping[date, int]
    opened_before: int  # in as many days just before
    solved_before: int
    backlog: Mapping[date, int]  # at the end of each day
    waiting_now: int
    by: Dimension
    lines: Sequence[Line]
    reasons: Mapping[str, int]  # opened, by reason of the hand-off, the most first
    hours: Mapping[int, int]  # opened, by hour of the day
    weekdays: Mapping[int, int]  # opened; 1 is Monday
    articles: Sequence[JudgedArticle]  # what requesters said of them, the worst first


class Counting:
    """The sweep that keeps counts by day up to date."""

    def __init__(
        self,
        sessions: Sessions,
        book: PromiseBook,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._book = book
        self._now = now
        self._rested_until: datetime | None = None
        self._looked_at: datetime | None = None

    async def count_due(self) -> int:
        """Count a few days that have changed, else add up a month; return how many were done.

        Rests a while when there is little to do.
        """
        now = self._now()
        if self._rested_until is not None and now < self._rested_until:
            return 0
        done = await self._count(now)
        self._rested_until = None if done >= _MOST_DAYS else now + _PAUSE
        return done

    async def count_all(self) -> None:
        """Count every day that has changed, and add up the months."""
        while await self._count(self._now()):
            pass

    async def _count(self, now: datetime) -> int:
        async with storage_errors(), self._sessions.begin() as session:
            if not await session.scalar(
                text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            ):
                return 0
            zone = await self._zone(session)
            await self._look_again(session, now)
            changes = (
                await session.execute(
                    select(FigureChange.id, FigureChange.at)
                    .order_by(FigureChange.id)
                    .limit(_MOST_CHANGES)
                )
            ).all()
            clock = ZoneInfo(zone)
            days: dict[date, list[int]] = {}
            for number, at in changes:
                days.setdefault(at.astimezone(clock).date(), []).append(number)
            for day in sorted(days, reverse=True)[:_MOST_DAYS]:  # what is looked at most is first
                await count_day(session, day, zone)
                await session.execute(delete(FigureChange).where(FigureChange.id.in_(days[day])))
            if days:
                return min(len(days), _MOST_DAYS)
            return int(await sum_next_month(session, now.astimezone(clock).date()) is not None)

    async def _look_again(self, session: AsyncSession, now: datetime) -> None:
        """Have these days counted now and then: conversations without tickets change nothing."""
        if self._looked_at is None or now - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = now
            session.add_all(FigureChange(at=now - timedelta(days=days)) for days in range(3))
            await session.flush()

    async def _zone(self, session: AsyncSession) -> str:
        """Return the zone that days are counted by; where it is another now, count all anew."""
        rules = await self._book.current(session)
        zone = "UTC" if rules.default is None else rules.default.calendar.zone
        kept = await session.scalar(select(FigureZone.zone))
        if kept != zone:
            await session.execute(
                upsert(FigureZone)
                .values(id=1, zone=zone)
                .on_conflict_do_update(index_elements=["id"], set_={"zone": zone})
            )
            await session.execute(delete(FigureSum))
            for column in _COUNTED:
                day = func.date_trunc("day", column, zone).label("at")
                found = select(day).where(column.is_not(None)).distinct()
                await session.execute(insert(FigureChange).from_select(["at"], found))
        return zone


async def report(
    session: AsyncSession,
    period: Period,
    by: Dimension,
    *,
    with_charts: bool = True,
    teams: Collection[TeamId] | None = None,
) -> Report:
    """Return the figures of a period, told apart `by` one dimension.

    With `teams`, for somebody who sees the tickets of these teams alone, it is of theirs and
    told apart by team; reasons, hours and weekdays are not counted by team and left out.

    Raises:
        Forbidden: `teams` are given and it is to be told apart by something else.
    """
    if teams is not None:
        return await _report_of(session, period, by, teams)
    charts = (Dimension.REASON, Dimension.HOUR, Dimension.WEEKDAY) if with_charts else ()
    found = await counts(session, period, {Dimension.ALL, by})
    shown = await opened_by(session, period, charts) if charts else {}
    flow = await flow_since(session, period.before.first)
    opened = {day: number for day, (number, _) in flow.items()}
    solved = {day: number for day, (_, number) in flow.items()}
    waiting, zone = await waiting_now(session), await counted_zone(session)
    return Report(
        period=period,
        zone=zone,
        total=tally(found[Dimension.ALL].get("", {})),
        opened={day: opened.get(day, 0) for day in period.days},
        solved={day: solved.get(day, 0) for day in period.days},
        opened_before=sum(opened.get(day, 0) for day in period.before.days),
        solved_before=sum(solved.get(day, 0) for day in period.before.days),
        backlog=_backlog(period, opened, solved, waiting),
        waiting_now=waiting,
        by=by,
        lines=await _lines(session, by, found[by], await waiting_by(session, by)),
        reasons=shown.get(Dimension.REASON, {}),
        hours={int(hour): n for hour, n in shown.get(Dimension.HOUR, {}).items()},
        weekdays={int(day): n for day, n in shown.get(Dimension.WEEKDAY, {}).items()},
        articles=await judged_articles(session, period, zone),
    )


async def _report_of(
    session: AsyncSession, period: Period, by: Dimension, teams: Collection[TeamId]
) -> Report:
    if by != Dimension.TEAM:
        raise Forbidden("you see the figures of your own teams: tell them apart by team")
    names = {str(team) for team in teams}
    counted = (await counts(session, period, {by}))[by]
    found = {value: buckets for value, buckets in counted.items() if value in names}
    flow = await flow_since(session, period.before.first, teams)
    opened = {day: number for day, (number, _) in flow.items()}
    solved = {day: number for day, (_, number) in flow.items()}
    waiting = await waiting_now(session, teams)
    return Report(
        period=period,
        zone=await counted_zone(session),
        total=tally(_added(found)),
        opened={day: opened.get(day, 0) for day in period.days},
        solved={day: solved.get(day, 0) for day in period.days},
        opened_before=sum(opened.get(day, 0) for day in period.before.days),
        solved_before=sum(solved.get(day, 0) for day in period.before.days),
        backlog=_backlog(period, opened, solved, waiting),
        waiting_now=waiting,
        by=by,
        lines=await _lines(session, by, found, await waiting_by(session, by, teams)),
        reasons={},
        hours={},
        weekdays={},
        articles=(),
    )


def _added(found: Counts) -> dict[Measure, dict[int, int]]:
    """Return what was counted under all values together."""
    total: dict[Measure, dict[int, int]] = {}
    for buckets in found.values():
        for measure, counted in buckets.items():
            sums = total.setdefault(measure, {})
            for bucket, count in counted.items():
                sums[bucket] = sums.get(bucket, 0) + count
    return total


def _backlog(
    period: Period, opened: Mapping[date, int], solved: Mapping[date, int], waiting: int
) -> dict[date, int]:
    """Return how many waited at the end of each day, from how many wait now."""
    left = waiting
    for day in {*opened, *solved}:
        if day > period.last:
            left += solved.get(day, 0) - opened.get(day, 0)
    found: dict[date, int] = {}
    for day in reversed(period.days):
        found[day] = max(0, left)
        left += solved.get(day, 0) - opened.get(day, 0)
    return dict(reversed(found.items()))


async def _lines(
    session: AsyncSession, by: Dimension, found: Counts, waiting: Mapping[str, int] | None
) -> Sequence[Line]:
    """Return a line for each value under which something was counted, or waits."""
    values = [*found, *(value for value in waiting or () if value not in found)]
    names = await names_of(session, by, values)
    lines = [
        Line(
            value=value,
            name=names.get(value),
            tally=tally(found.get(value, {})),
            waiting=None if waiting is None else waiting.get(value, 0),
        )
        for value in values
    ]
    if by in (Dimension.HOUR, Dimension.WEEKDAY):
        return sorted(lines, key=lambda line: int(line.value))
    return sorted(lines, key=lambda line: -line.tally.opened)
