"""How an article is taken apart for the search, and how its passages get their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import EmbedderUnavailable
from core.domain.ids import new_id
from core.domain.knowledge import Article
from core.ports import Embedder, SecondEncoder
from core.services.knowledge.plaintext import blocks, folded, split
from core.services.knowledge.spelling import words_of
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge import near_words
from core.storage.queries.knowledge.knowledge import Field, index_words
from core.storage.tables import ArticleRow, Passage
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


async def embed_pending(
    sessions: Sessions, embedder: Embedder, limit: int, second: SecondEncoder | None = None
) -> int:
    """Let up to `limit` passages be read by the encoders that have not; return how many were.

    The second one reads titles and questions in the languages that it knows.

    Raises:
        EmbedderUnavailable: those embedded before it failed stay so.
    """
    done = 0
    while done < limit:
        batch = await _unread(sessions, embedder.model, min(_EMBEDDED_AT_ONCE, limit - done))
        if not batch:
            break
        vectors = await embedder.embed_passages([row.text for row in batch])
        news: list[dict[str, Any]] = [
            {"vector": list(vector), "vector_model": embedder.model} for vector in vectors
        ]
        if second is not None:
            # Both in one go where that can be: each change of a row enters it in the index anew.
            with suppress(EmbedderUnavailable):
                await _read(second, batch, news)
        await _store(sessions, batch, news)
        done += len(batch)
    return done


async def read_left_over(sessions: Sessions, second: SecondEncoder, limit: int) -> int:
    """Let the second encoder read up to `limit` passages that the first one read without it.

    Raises:
        EmbedderUnavailable: those read before it failed stay so.
    """
    done = 0
    while done < limit:
        batch = await _left_over(sessions, second, min(_EMBEDDED_AT_ONCE, limit - done))
        if not batch:
            break
        news: list[dict[str, Any]] = [{} for _ in batch]
        await _read(second, batch, news)
        await _store(sessions, batch, news)
        done += len(batch)
    return done


async def _store(
    sessions: Sessions, batch: Sequence[_Waiting], news: Sequence[Mapping[str, Any]]
) -> None:
    async with storage_errors(), sessions.begin() as session:
        # In one order everywhere, so that two workers on one batch do not wait for each other.
        for row, new in sorted(zip(batch, news, strict=True), key=lambda pair: pair[0].id):
            await session.execute(update(Passage).where(Passage.id == row.id).values(**new))


_WAITING = select(Passage.id, Passage.text, Passage.kind, ArticleRow.language).join(
    ArticleRow, ArticleRow.id == Passage.article_id
)
_Waiting = Row[UUID, str, str, str]


async def _unread(sessions: Sessions, model: str, most: int) -> Sequence[_Waiting]:
    """Return passages that `model`, the first encoder, has not read."""
    read_by = Passage.vector_model
    waits = or_(read_by.is_(None), read_by < model, read_by > model)
    async with storage_errors(), sessions() as session:
        return (await session.execute(_WAITING.where(waits).limit(most))).all()


async def _left_over(sessions: Sessions, second: SecondEncoder, most: int) -> Sequence[_Waiting]:
    """Return passages that the second encoder has not read and can read."""
    read_by = Passage.second_model
    waits = or_(read_by.is_(None), read_by < second.model, read_by > second.model)
    known = ArticleRow.language.in_(sorted(second.languages))
    statement = _WAITING.where(waits, Passage.kind != "body", known).limit(most)
    async with storage_errors(), sessions() as session:
        return (await session.execute(statement)).all()


async def _read(
    second: SecondEncoder, batch: Sequence[_Waiting], news: Sequence[dict[str, Any]]
) -> None:
    """Add to what is new of each passage what the second encoder makes of it, if it reads it."""
    reads = [
        (row, new)
        for row, new in zip(batch, news, strict=True)
        if row.kind != "body" and row.language in second.languages
    ]
    vectors = await second.embed_passages([row.text for row, _ in reads]) if reads else []
    for (_, new), vector in zip(reads, vectors, strict=True):
        new |= {"second_vector": list(vector), "second_model": second.model}
