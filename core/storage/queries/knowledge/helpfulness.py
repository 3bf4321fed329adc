"""Counts whether articles helped, as requesters said under them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.figures import Period
from core.storage.tables import ArticleFeedback, ArticleRow

_HELPED = func.count().filter(ArticleFeedback.helped).label("helped")
_SAID = func.count().label("said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpfulness:
    """How often it was said that something helped, and that it did not."""

    helped: int
    not_helped: int

    @property
    def share(self) -> float | None:
        """Return which part of what was said is that it helped."""
        said = self.helped + self.not_helped
        return self.helped / said if said else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedArticle:
    """What was said of an article."""

    id: str
    title: str | None  # none: it is not there any more
    said: Helpfulness


async def helpfulness_of(
    session: AsyncSession, articles: Collection[str]
) -> Mapping[str, Helpfulness]:
    """Return what was ever said of `articles`; those of which nothing was are left out."""
    rows = await session.execute(
        select(ArticleFeedback.article_id, _HELPED, _SAID)
        .where(ArticleFeedback.article_id.in_(articles))
        .group_by(ArticleFeedback.article_id)
    )
    return {
        article: Helpfulness(helped=helped, not_helped=said - helped)
        for article, helped, said in rows
    }


async def judged_articles(
    session: AsyncSession, period: Period, zone: str
) -> Sequence[JudgedArticle]:
    """Return what was said in a period, by article: what failed most often first."""
    clock = ZoneInfo(zone)
    start = datetime.combine(period.first, time(), clock).astimezone(UTC)
    end = datetime.combine(period.last + timedelta(days=1), time(), clock).astimezone(UTC)
    rows = await session.execute(
        select(ArticleFeedback.article_id, ArticleRow.title, _HELPED, _SAID)
        .outerjoin(ArticleRow, ArticleRow.id == ArticleFeedback.article_id)
        .where(ArticleFeedback.at >= start, ArticleFeedback.at < end)
        .group_by(ArticleFeedback.article_id, ArticleRow.title)
        .order_by(
            func.count().filter(~ArticleFeedback.helped).desc(),
            func.count().desc(),
            ArticleFeedback.article_id,
        )
    )
    return [
        JudgedArticle(
            id=article, title=title, said=Helpfulness(helped=helped, not_helped=said - helped)
        )
        for article, title, helped, said in rows
    ]


def together(articles: Sequence[JudgedArticle]) -> Helpfulness:
    """Return what was said of all of `articles`: how the assistant's answers were received."""
    return Helpfulness(
        helped=sum(one.said.helped for one in articles),
        not_helped=sum(one.said.not_helped for one in articles),
    )
