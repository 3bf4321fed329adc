"""What `desk report` prints."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from core.domain.errors import InvalidInput
from core.domain.figures import Dimension, Measure, Period, Tally
from core.services.figures.counting import Counting, Report, report
from core.services.figures.documents import given_out
from core.services.sla.rules import PromiseBook
from core.settings import Settings
from core.storage.engine import storage_errors
from core.wiring.parts import open_parts


async def report_for(
    settings: Settings, *, first: str | None, last: str | None, by: Dimension
) -> Report:
    """Return the figures of a period, counted up to now; without one, of the last thirty days.

    Raises:
        InvalidInput: a day is no day, or they are no period.
    """
    period = Period.until(_day(last) or datetime.now(UTC).date(), _day(first))
    async with open_parts(settings, "desk report") as parts:
        await Counting(parts.sessions, PromiseBook()).count_all()
        async with storage_errors(), parts.sessions.begin() as session:
            given_out(session, period, by, actor=None)
            return await report(session, period, by)


def as_lines(found: Report) -> list[str]:
    """Return a report as lines for a terminal."""
    total, times = found.total, found.total.times
    lines = [
        f"{found.period.first} to {found.period.last} ({found.zone})",
        (
            f"opened {total.opened}, solved {total.solved}, waiting now {found.waiting_now},"
            f" reopened {total.reopened}"
        ),
        (
            f"promises kept {total.kept}, broken {total.broken};"
            f" satisfaction {_number(total.score)} in {sum(total.scores.values())} answers"
        ),
        f"the assistant alone: {total.alone} of {total.conversations} conversations",
    ]
    for measure, spread in times.items():
        if spread.count:
            lines.append(
                f"{measure.value.replace('_', ' ')}: median {_span(spread.median)},"
                f" nine in ten within {_span(spread.p90)}"
            )
    lines += [_line(line.name or line.value or "none", line.tally) for line in found.lines]
    return lines


def _line(name: str, tally: Tally) -> str:
    first = tally.times[Measure.FIRST_RESPONSE].median
    return f"  {name}: opened {tally.opened}, solved {tally.solved}, first response {_span(first)}"


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("a date is written as 2030-12-31") from None
