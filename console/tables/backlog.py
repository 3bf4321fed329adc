"""What waited at the end of each day, as a table to be saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from console.tables.files import table
from console.words.figures import line_in_words
from console.words.states import Translate
from core.domain.assets import harmless
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId
from core.services.audit import record
from core.services.figures.backlog import backlog_by


async def exported_backlog(
    session: AsyncSession,
    period: Period,
    by: Dimension,
    teams: Sequence[TeamId] | None,
    *,
    actor: str,
    t: Translate,
) -> Response:
    """Return a line for each day and a column for each value, as CSV (RFC 4180).

    The audit log has that it was exported.
    """
    lines = await backlog_by(session, period, by, teams)
    name = f"backlog_{period.first}_{period.last}_{by}"
    record(session, actor, "report.exported", ("report", name, name))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([t("Day"), *(harmless(line_in_words(by, line, t)) for line in lines)])
    for index, day in enumerate(period.days):
        writer.writerow([day.isoformat(), *(line.waiting[index] for line in lines)])
    return table(out.getvalue(), f"{name}.csv")
