"""Reads articles by name."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ArticleId, OrganisationId
from core.domain.knowledge import Article, Audience
from core.storage.tables import ArticleRow


def article_of(row: ArticleRow) -> Article:
    """Return the article that `row` keeps."""
    return Article(
        id=ArticleId(row.id),
        language=row.language,
        title=row.title,
        body=row.body,
        questions=tuple(row.questions),
        tags=tuple(row.tags),
        audience=Audience(row.audience),
        translation_of=None if row.translation_of is None else ArticleId(row.translation_of),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        organisations=tuple(OrganisationId(UUID(one)) for one in row.organisations),
    )


async def articles_by_id(
    session: AsyncSession, ids: Collection[ArticleId]
) -> dict[ArticleId, Article]:
    """Return those of `ids` that exist."""
    if not ids:
        return {}
    rows = await session.scalars(select(ArticleRow).where(ArticleRow.id.in_(ids)))
    return {ArticleId(row.id): article_of(row) for row in rows}
