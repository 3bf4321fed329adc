"""Reports as JSON, the same for the API and for `desk report --json`; and that they were given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.figures import Dimension, Period, Tally
from core.services.audit import record
from core.services.figures.backlog import BacklogLine
from core.services.figures.counting import Line, Report
from core.storage.queries.knowledge.helpfulness import together


def given_out(session: AsyncSession, period: Period, by: Dimension, *, actor: str | None) -> str:
    """Keep in the audit log that the figures of a period were given out; return their name."""
    name = f"{period.first}_{period.last}_{by}"
    record(session, actor, "report.exported", ("report", name, name))
    return name


class SpreadDocument(BaseModel):
    """Lengths of time; seconds, right to within five in a hundred."""

    count: int
    median: int | None
    p90: int | None


class TallyDocument(BaseModel):
    """What was counted of some tickets."""

    opened: int
    solved: int
    reopened: int
    times: dict[str, SpreadDocument]  # "first_response", "first_response_business", …
    promises_kept: int
    promises_broken: int
    scores: dict[int, int]  # answers by score
    average_score: float | None
    assistant_scores: dict[int, int]  # of conversations that it finished alone, by score
    average_assistant_score: float | None
    conversations: int
    assistant_alone: int


class LineDocument(BaseModel):
    """One value of the dimension."""

    value: str  # an id, a name or a number; empty: none
    name: str | None
    waiting_now: int | None  # null by hour and weekday
    figures: TallyDocument


class DayDocument(BaseModel):
    """One day."""

    day: date
    opened: int
    solved: int
    backlog: int  # at its end


class BacklogLineDocument(BaseModel):
    """What waited under one value."""

    value: str  # an id or a name; empty: none
    name: str | None
    waiting: list[int]  # at the end of each day


class BacklogDocument(BaseModel):
    """What waited at the end of each day of a period, the most at its end first."""

    by: str
    days: list[date]
    lines: list[BacklogLineDocument]


class ArticleDocument(BaseModel):
    """What requesters said of an article."""

    id: str
    title: str | None  # null: it is not there any more
    helped: int
    not_helped: int


class ReportDocument(BaseModel):
    """The figures of a period."""

    first: date
    last: date
    zone: str  # by whose clock days begin
    total: TallyDocument
    opened_before: int  # in as many days just before
    solved_before: int
    waiting_now: int
    days: list[DayDocument]
    by: str
    lines: list[LineDocument]
    reasons: dict[str, int]  # opened by reason of the hand-off
    hours: dict[int, int]  # opened by hour of the day
    weekdays: dict[int, int]  # opened by weekday; 1 is Monday
    answers_helped: int  # articles that the assistant showed and requesters judged
    answers_not_helped: int
    articles: list[ArticleDocument]  # the same by article


def backlog_document(
    period: Period, by: Dimension, lines: Sequence[BacklogLine]
) -> BacklogDocument:
    """Return what waited, as programs get it."""
    return BacklogDocument(
        by=by,
        days=period.days,
        lines=[
            BacklogLineDocument(value=line.value, name=line.name, waiting=list(line.waiting))
            for line in lines
        ],
    )


def document(found: Report) -> ReportDocument:
    """Return a report as JSON tells it."""
    answers = together(found.articles)
    return ReportDocument(
        first=found.period.first,
        last=found.period.last,
        zone=found.zone,
        total=_tally(found.total),
        opened_before=found.opened_before,
        solved_before=found.solved_before,
        waiting_now=found.waiting_now,
        days=[
            DayDocument(
                day=day,
                opened=found.opened[day],
                solved=found.solved[day],
                backlog=found.backlog[day],
            )
            for day in found.period.days
        ],
        by=found.by,
        lines=[_line(line) for line in found.lines],
        reasons=dict(found.reasons),
        hours=dict(sorted(found.hours.items())),
        weekdays=dict(sorted(found.weekdays.items())),
        answers_helped=answers.helped,
        answers_not_helped=answers.not_helped,
        articles=[
            ArticleDocument(
                id=one.id, title=one.title, helped=one.said.helped, not_helped=one.said.not_helped
            )
            for one in found.articles
        ],
    )


def _line(line: Line) -> LineDocument:
    return LineDocument(
        value=line.value, name=line.name, waiting_now=line.waiting, figures=_tally(line.tally)
    )


def _tally(found: Tally) -> TallyDocument:
    return TallyDocument(
        opened=found.opened,
        solved=found.solved,
        reopened=found.reopened,
        times={
            measure.value: SpreadDocument(
                count=times.count,
                median=None if times.median is None else round(times.median),
                p90=None if times.p90 is None else round(times.p90),
            )
            for measure, times in found.times.items()
        },
        promises_kept=found.kept,
        promises_broken=found.broken,
        scores=dict(found.scores),
        average_score=None if found.score is None else round(found.score, 2),
        assistant_scores=dict(found.assistant_scores),
        average_assistant_score=(
            None if found.assistant_score is None else round(found.assistant_score, 2)
        ),
        conversations=found.conversations,
        assistant_alone=found.alone,
    )
