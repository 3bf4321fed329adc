"""Figures: a page with charts, and the same as a table for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.charts import Series, bars, series
from console.desk import desk_of
from console.heads import is_head
from console.pages.session import Readers
from console.pages.view import language_of, page, translator
from console.sight import sight_for
from console.tables.backlog import exported_backlog
from console.tables.files import table_head
from console.tables.report import exported
from console.words.errors import error_in_words
from console.words.figures import line_in_words
from core.domain.errors import InvalidInput
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId
from core.domain.topics import TopicKind
from core.services.figures.backlog import TOLD_APART, BacklogLine, backlog_by
from core.services.figures.counting import Report, report
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.figures.figures import counted_zone
from core.storage.queries.knowledge.helpfulness import together
from core.storage.queries.learning.topics import topics

router = APIRouter(prefix="/console/reports")

_CHOICES = (7, 30, 90, 365)
_RECURRING = 8  # topics of tickets
_ARTICLES = 10
_LINES = 5  # of what waits, told apart: more cannot be told from each other

By = Annotated[Dimension, Query()]


@router.get("")
async def show_report(
    request: Request,
    _: Readers,
    start: Annotated[str, Query(alias="from", max_length=10)] = "",
    end: Annotated[str, Query(alias="to", max_length=10)] = "",
    by: By = Dimension.CHANNEL,
) -> Response:
    """Show the figures of a period; without one, of the last thirty days."""
    wrong = None
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        zone = await counted_zone(session)
        today = datetime.now(ZoneInfo(zone)).date()
        try:
            period = period_of(start, end, today)
        except InvalidInput as error:
            wrong = error_in_words(error, translator(request))
            period = period_of("", "", today)
        sight = await sight_for(request, session)
        teams = None if sight is None else sight.counted
        found = await report(session, period, _told_apart(by, teams), teams=teams)
        waited = (
            await backlog_by(session, period, found.by, teams, waiting=_waiting(found))
            if found.by in TOLD_APART
            else ()
        )
        recurring = await topics(
            session, TopicKind.TICKET, datetime.now(UTC), sight=sight, limit=_RECURRING
        )
    language, t = language_of(request), translator(request)
    labels = {day: format_date(day, "d MMM", locale=language) for day in period.days}
    names = get_day_names("abbreviated", "stand-alone", locale=language)
    weekdays = [(names[day - 1], found.weekdays.get(day, 0)) for day in range(1, 8)]
    hours = [(f"{hour:02}", found.hours.get(hour, 0)) for hour in range(24)]
    return page(
        request,
        "report.html",
        status=200 if wrong is None else 422,
        position=position,
        report=found,
        wrong=wrong,
        choices=[(days, today - timedelta(days=days - 1), today) for days in _CHOICES],
        flow=series(labels, found.opened, found.solved, summed=True),
        backlog=series(labels, found.backlog, summed=False),
        waited=_apart(labels, waited[:_LINES]),
        waited_names=[line_in_words(found.by, line, t) for line in waited[:_LINES]],
        waited_more=len(waited) - _LINES,
        hours=bars(hours),
        weekdays=bars(weekdays),
        own_teams=teams is not None,
        most=max(found.reasons.values(), default=0),
        recurring=recurring,
        answers=together(found.articles),
        articles=found.articles[:_ARTICLES],
    )


@router.get("/export")
async def export_report(
    request: Request,
    signed_in: Readers,
    start: Annotated[str, Query(alias="from", max_length=10)] = "",
    end: Annotated[str, Query(alias="to", max_length=10)] = "",
    by: By = Dimension.CHANNEL,
) -> Response:
    """Give out the lines of a report as CSV (RFC 4180)."""
    t = translator(request)
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        today = datetime.now(ZoneInfo(await counted_zone(session))).date()
        period = period_of(start, end, today)
        sight = await sight_for(request, session)
        teams = None if sight is None else sight.counted
        by = _told_apart(by, teams)
        actor = signed_in.agent.actor
        if is_head(request):
            return table_head(f"{period.first}_{period.last}_{by}.csv")
        return await exported(session, period, by, teams, actor=actor, t=t)


@router.get("/backlog")
async def export_backlog(
    request: Request,
    signed_in: Readers,
    start: Annotated[str, Query(alias="from", max_length=10)] = "",
    end: Annotated[str, Query(alias="to", max_length=10)] = "",
    by: By = Dimension.CHANNEL,
) -> Response:
    """Give out what waited at the end of each day as CSV: a column for each value."""
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        today = datetime.now(ZoneInfo(await counted_zone(session))).date()
        period = period_of(start, end, today)
        sight = await sight_for(request, session)
        teams = None if sight is None else sight.counted
        by = _told_apart(by, teams)
        if is_head(request):
            return table_head(f"backlog_{period.first}_{period.last}_{by}.csv")
        return await exported_backlog(
            session,
            period,
            by,
            teams,
            actor=signed_in.agent.actor,
            t=translator(request),
        )


def _waiting(found: Report) -> Mapping[str, int]:
    return {line.value: line.waiting or 0 for line in found.lines}


def _apart(labels: Mapping[date, str], lines: Sequence[BacklogLine]) -> Series | None:
    """Return a chart of what waited under each value; None where nothing did."""
    days = list(labels)
    values = [dict(zip(days, line.waiting, strict=True)) for line in lines]
    return series(labels, *values, summed=False) if lines else None


def period_of(start: str, end: str, today: date) -> Period:
    """Return the period that two days name; what is empty is the last thirty days.

    Raises:
        InvalidInput: one is no day, or they are no period.
    """
    return Period.until(day_of(end) or today, day_of(start))


def _told_apart(by: Dimension, teams: Sequence[TeamId] | None) -> Dimension:
    """Return what lines are told apart by: by team alone for who sees their own teams only."""
    if teams is not None:
        return Dimension.TEAM
    return Dimension.CHANNEL if by == Dimension.ALL else by


def day_of(text: str) -> date | None:
    """Return the day that a form's field names; None where it is empty.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("a date is written as 2030-12-31") from None
