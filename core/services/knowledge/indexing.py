"""How an article is taken apart for the search, and how its passages get their vectors."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import new_id
from core.domain.knowledge import Article
from core.ports import Embedder
from core.services.knowledge.plaintext import blocks, folded, split
from core.services.knowledge.spelling import words_of
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge import near_words
from core.storage.queries.knowledge.knowledge import Field, index_words
from core.storage.tables import Passage
from core.storage.text_search import configuration_of

_PASSAGE_CHARS = 900
_EMBEDDED_AT_ONCE = 32


def passages_of(article: Article) -> list[tuple[str, str]]:
    """Return kind and text of each passage; a part of the body comes with the article's title."""
    passages = [("title", article.title)] if article.title else []
    passages += [("question", question) for question in article.questions]
    head = f"{article.title}\n" if article.title else ""
    passages += [("body", head + part) for part in split(article.body, max_chars=_PASSAGE_CHARS)]
    return list(dict.fromkeys(passages))


def fields_of(article: Article) -> list[Field]:
    """Return the article's parts for the index of words."""
    return [
        Field(text=folded(article.title), boost=2.5, usual_length=5),
        Field(text=folded("\n".join(article.questions)), boost=1.5, usual_length=40),
        Field(text=folded("\n".join(blocks(article.body))), boost=1.0, usual_length=80),
    ]


async def index(session: AsyncSession, article: Article) -> None:
    """Make `article` findable as it is now; passages that stay the same keep their vectors."""
    await index_words(session, article.id, article.language, fields_of(article))
    wanted = passages_of(article)
    rows = await session.execute(
        select(Passage.id, Passage.kind, Passage.text).where(Passage.article_id == article.id)
    )
    kept = {(kind, text): passage for passage, kind, text in rows}
    gone = [passage for key, passage in kept.items() if key not in set(wanted)]
    if gone:
        await session.execute(delete(Passage).where(Passage.id.in_(gone)))
    fresh = [
        {"id": new_id(), "article_id": article.id, "kind": kind, "text": text}
        for kind, text in wanted
        if (kind, text) not in kept
    ]
    if fresh:
        await session.execute(insert(Passage), fresh)


async def learn_words(session: AsyncSession, articles: Iterable[Article]) -> None:
    """Let mistyped words find those of `articles`.

    Words belong to no article, so transactions that store articles may want the same ones: this
    comes last in each.
    """
    await near_words.learn(
        session,
        {
            (configuration_of(article.language), word)
            for article in articles
            for field in fields_of(article)
            for word in words_of(field.text)
        },
    )


async def embed_pending(sessions: Sessions, embedder: Embedder, limit: int) -> int:
    """Give up to `limit` passages the vectors they lack; return how many got one.

    Raises:
        EmbedderUnavailable: those embedded before it failed stay so.
    """
    done = 0
    while done < limit:
        async with storage_errors(), sessions() as session:
            rows = await session.execute(
                select(Passage.id, Passage.text)
                .where(
                    or_(
                        Passage.vector_model.is_(None),
                        Passage.vector_model < embedder.model,
                        Passage.vector_model > embedder.model,
                    )
                )
                .limit(min(_EMBEDDED_AT_ONCE, limit - done))
            )
            batch = rows.all()
        if not batch:
            break
        vectors = await embedder.embed_passages([text for _, text in batch])
        async with storage_errors(), sessions.begin() as session:
            # In one order everywhere, so that two workers on one batch do not wait for each other.
            for (passage, _), vector in sorted(zip(batch, vectors, strict=True)):
                await session.execute(
                    update(Passage)
                    .where(Passage.id == passage)
                    .values(vector=list(vector), vector_model=embedder.model)
                )
        done += len(batch)
    return done
