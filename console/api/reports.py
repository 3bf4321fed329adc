"""Figures in the API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from console.api.principal import AnyCaller
from console.desk import desk_of
from console.sight import sight_for
from core.domain.actor import Role
from core.domain.errors import Forbidden
from core.domain.figures import Dimension, Period
from core.services.figures.counting import report
from core.services.figures.documents import ReportDocument, document
from core.storage.engine import storage_errors

router = APIRouter(prefix="/reports", tags=["figures"])

_USUAL_DAYS = 30
_READERS = frozenset({Role.LEAD, Role.ADMIN, Role.AUDITOR})


@router.get("")
async def get_report(
    request: Request,
    caller: AnyCaller,
    first: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day.")] = None,
    by: Annotated[
        Dimension | None,
        Query(description="What lines are told apart by; for who sees their own teams, `team`."),
    ] = None,
) -> ReportDocument:
    """Return the figures of a period; without one, of the last thirty days."""
    if caller.role not in _READERS:
        raise Forbidden("only leads, admins and auditors may see this")
    last = last or datetime.now(UTC).date()
    period = Period(first=first or last - timedelta(days=_USUAL_DAYS - 1), last=last)
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = None if caller.agent is None else await sight_for(request, session)
        teams = None if sight is None else sight.counted
        usual = Dimension.CHANNEL if teams is None else Dimension.TEAM
        return document(await report(session, period, by or usual, teams=teams))
