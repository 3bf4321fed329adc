"""How articles come in from files: once, again when their file changed, and one by one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.domain.ids import ArticleId
from core.domain.imports import ImportReport
from core.domain.knowledge import Article
from core.services.knowledge.articles import add, checked, columns_of, replace_stored
from core.services.knowledge.indexing import learn_words
from core.services.knowledge.sources import Entry, digest_of, entries
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import ArticleRow

_AT_ONCE = 50  # articles in one transaction


@dataclass(slots=True)
class _Tally:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)


async def import_path(sessions: Sessions, path: Path) -> ImportReport:
    """Store the articles found under `path` that are new or changed since the last import."""
    tally, seen = _Tally(), set[ArticleId]()
    stream = entries(path)
    while batch := await asyncio.to_thread(lambda: list(islice(stream, _AT_ONCE))):
        fit = [pair for entry in batch if (pair := _fit(entry, seen, tally)) is not None]
        async with storage_errors(), sessions.begin() as session:
            for place, article in fit:
                await _bring_in(session, place, article, tally)
            await learn_words(session, [article for _, article in fit])
    return ImportReport(
        added=tally.added,
        changed=tally.changed,
        unchanged=tally.unchanged,
        refused=tuple(tally.refused),
    )


def _fit(entry: Entry, seen: set[ArticleId], tally: _Tally) -> tuple[str, Article] | None:
    if entry.article is None:
        tally.refused.append(f"{entry.place}: {entry.problem}")
        return None
    try:
        article = checked(entry.article)
    except InvalidInput as problem:
        tally.refused.append(f"{entry.place}: {problem}")
        return None
    if article.id in seen:
        tally.refused.append(f"{entry.place}: a second article with the id {article.id!r}")
        return None
    seen.add(article.id)
    return entry.place, article


async def _bring_in(session: AsyncSession, place: str, article: Article, tally: _Tally) -> None:
    digest = digest_of(article)
    if await add(session, article, imported=digest):
        tally.added += 1
        return
    last = await session.scalar(
        select(ArticleRow.imported_digest).where(ArticleRow.id == article.id).with_for_update()
    )
    if last == digest:
        tally.unchanged += 1
    elif last is None:
        tally.refused.append(f"{place}: {article.id!r} was made in the console; it stays as it is")
    else:
        # Files do not say for whom an article is; who said so in the console is heeded.
        columns = {k: v for k, v in columns_of(article).items() if k != "organisations"}
        await replace_stored(session, article, columns)
        await session.execute(
            update(ArticleRow).where(ArticleRow.id == article.id).values(imported_digest=digest)
        )
        tally.changed += 1
