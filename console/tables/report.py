"""The lines of a report as a table to be saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from console.tables.files import table
from console.words.figures import headings, line_in_words
from console.words.states import Translate
from core.domain.assets import harmless
from core.domain.figures import TIMES, Dimension, Period
from core.domain.ids import TeamId
from core.services.figures.counting import Report, report
from core.services.figures.documents import given_out


async def exported(
    session: AsyncSession,
    period: Period,
    by: Dimension,
    teams: Sequence[TeamId] | None,
    *,
    actor: str,
    t: Translate,
) -> Response:
    """Return the figures of a period as CSV (RFC 4180); the audit log has that they were."""
    found = await report(session, period, by, with_charts=False, teams=teams)
    name = given_out(session, period, found.by, actor=actor)
    names = [line_in_words(found.by, line, t) for line in found.lines]
    return table(as_table(found, names, headings(found.by, t)), f"{name}.csv")


def as_table(found: Report, names: Sequence[str], heads: Sequence[str]) -> str:
    """Return the lines of a report as CSV; no cell of it is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(heads)
    for name, line in zip(names, found.lines, strict=True):
        tally = line.tally
        writer.writerow(
            [
                harmless(name),
                tally.opened,
                tally.solved,
                "" if line.waiting is None else line.waiting,
                tally.reopened,
                tally.kept,
                tally.broken,
                "" if tally.score is None else round(tally.score, 2),
                sum(tally.scores.values()),
                *(
                    "" if value is None else round(value)
                    for measure in TIMES
                    for value in (tally.times[measure].median, tally.times[measure].p90)
                ),
            ]
        )
    return out.getvalue()
