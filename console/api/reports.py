"""Figures in the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from console.api.principal import ReaderCaller
from console.desk import desk_of
from console.heads import is_head
from console.sight import sight_for
from console.tables.backlog import exported_backlog
from console.tables.files import table_head
from console.tables.report import exported
from console.texts import translate
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId
from core.domain.languages import CONSOLE_LANGUAGES, SOURCE
from core.services.figures.backlog import backlog_by
from core.services.figures.counting import report
from core.services.figures.documents import (
    BacklogDocument,
    ReportDocument,
    backlog_document,
    document,
)
from core.storage.engine import storage_errors

router = APIRouter(prefix="/reports", tags=["figures"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which figures are asked for."""

    period: Period
    by: Dimension | None

    def told_apart(self, teams: Sequence[TeamId] | None) -> Dimension:
        """Return what lines are told apart by, where the caller sees figures of `teams` alone."""
        return self.by or (Dimension.CHANNEL if teams is None else Dimension.TEAM)


def _asked(
    first: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day.")] = None,
    by: Annotated[
        Dimension | None,
        Query(description="What lines are told apart by; for who sees their own teams, `team`."),
    ] = None,
) -> Asked:
    return Asked(period=Period.until(last or datetime.now(UTC).date(), first), by=by)


Wanted = Annotated[Asked, Depends(_asked)]

HeadingLanguage = Annotated[
    str,
    Query(
        description="Of the headings.",
        pattern=rf"^(?:{'|'.join(CONSOLE_LANGUAGES)})$",
        json_schema_extra={"enum": list(CONSOLE_LANGUAGES)},
    ),
]


@router.get("")
async def get_report(request: Request, _: ReaderCaller, asked: Wanted) -> ReportDocument:
    """Return the figures of a period; without one, of the last thirty days."""
    async with storage_errors(), desk_of(request).sessions() as session:
        teams = await _teams(request, session)
        return document(await report(session, asked.period, asked.told_apart(teams), teams=teams))


@router.get("/export.csv", response_class=Response)
async def export(
    request: Request,
    caller: ReaderCaller,
    asked: Wanted,
    lang: HeadingLanguage = SOURCE,
) -> Response:
    """Return the lines of a report as a table that is safe to open in a spreadsheet.

    That it was exported is in the audit log.
    """
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        teams = await _teams(request, session)
        by = asked.told_apart(teams)
        if is_head(request):
            return table_head(f"{asked.period.first}_{asked.period.last}_{by}.csv")
        return await exported(
            session,
            asked.period,
            by,
            teams,
            actor=caller.actor,
            t=partial(translate, lang),
        )


@router.get("/backlog")
async def get_backlog(request: Request, _: ReaderCaller, asked: Wanted) -> BacklogDocument:
    """Return what waited at the end of each day, told apart; not by hour or weekday."""
    async with storage_errors(), desk_of(request).sessions() as session:
        teams = await _teams(request, session)
        by = asked.told_apart(teams)
        lines = await backlog_by(session, asked.period, by, teams)
    return backlog_document(asked.period, by, lines)


@router.get("/backlog.csv", response_class=Response)
async def export_backlog(
    request: Request,
    caller: ReaderCaller,
    asked: Wanted,
    lang: HeadingLanguage = SOURCE,
) -> Response:
    """Return the same as a table: a line for each day, a column for each value.

    That it was exported is in the audit log.
    """
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        teams = await _teams(request, session)
        by = asked.told_apart(teams)
        if is_head(request):
            return table_head(f"backlog_{asked.period.first}_{asked.period.last}_{by}.csv")
        return await exported_backlog(
            session,
            asked.period,
            by,
            teams,
            actor=caller.actor,
            t=partial(translate, lang),
        )


async def _teams(request: Request, session: AsyncSession) -> Sequence[TeamId] | None:
    sight = await sight_for(request, session)
    return None if sight is None else sight.counted
