"""Puts items in topics: average linkage, kept up one item at a time.

A topic's vector is the mean of its items' unit vectors. The product of two such means is the
average cosine between the items of both, so whether an item belongs to a topic, and whether two
topics are one, is decided as average-linkage clustering decides it (UPGMA, Sokal and Michener
1958), without looking at all pairs. Items come in order of time; the same items give the same
topics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import new_id
from core.domain.topics import TopicKind, TopicState, distinctive_words, words_in
from core.storage.tables import Topic, TopicItem
from core.storage.text_search import CONFIGURATIONS

JOINS = {TopicKind.QUESTION: 0.89, TopicKind.TICKET: 0.89}
"""The average cosine from which on items are of one topic; measured: see docs/assistant.md."""

LOCK = text("SELECT pg_advisory_xact_lock(0x746f706963)")  # "topic": one process groups at a time
_COMPARED_WITH = 2_000  # newest texts that say how rare a word is
_NAMED_BY = 200  # newest items of a topic

_NEAREST = text(
    """
    SELECT topic.id, -(topic.vector <#> topic_item.vector) AS closeness
    FROM topic_item JOIN topic USING (kind, vector_model)
    WHERE topic_item.id = :item ORDER BY topic.vector <#> topic_item.vector, topic.id LIMIT 1
    """
)
_NEXT = text(
    """
    SELECT other.id, -(other.vector <#> own.vector) AS closeness
    FROM topic AS own JOIN topic AS other USING (kind, vector_model)
    WHERE own.id = :topic AND other.id <> own.id
    ORDER BY other.vector <#> own.vector, other.id LIMIT 1
    """
)
_CENTRE = text(
    """
    UPDATE topic SET vector = (
        SELECT avg(vector) FROM topic_item
        WHERE topic_id = topic.id AND topic_item.vector_model = topic.vector_model)
    WHERE id = :topic
    """
)
_TYPICAL = text(
    """
    SELECT topic_item.text, topic_item.language
    FROM topic_item JOIN topic ON topic.id = topic_item.topic_id
    WHERE topic.id = :topic AND topic_item.vector_model = topic.vector_model
    ORDER BY round((topic_item.vector <#> topic.vector)::numeric, 4), topic_item.at DESC,
             topic_item.id
    LIMIT 1
    """
)
_ADOPTED = text(
    """
    UPDATE topic SET vector_model = :model, vector = (
        SELECT avg(vector) FROM topic_item
        WHERE topic_id = topic.id AND topic_item.vector_model = :model)
    WHERE kind = :kind AND vector_model <> :model
      AND EXISTS (SELECT FROM topic_item WHERE topic_id = topic.id)
      AND NOT EXISTS (SELECT FROM topic_item WHERE topic_id = topic.id
                      AND topic_item.vector_model IS DISTINCT FROM :model)
    RETURNING id
    """
)
_COMMON = text(
    """
    SELECT word FROM unnest(CAST(:words AS text[])) AS word
    WHERE EXISTS (
        SELECT FROM unnest(CAST(:configurations AS text[])) AS configuration
        WHERE to_tsvector(configuration::regconfig, word) = '')
    """
)


async def group(session: AsyncSession, kind: TopicKind, model: str, limit: int) -> int:
    """Put up to `limit` items without a topic in theirs, the oldest first; return how many."""
    await session.execute(LOCK)
    rows = await session.scalars(
        select(TopicItem)
        .where(
            TopicItem.kind == kind,
            TopicItem.topic_id.is_(None),
            TopicItem.vector_model == model,
        )
        .order_by(TopicItem.at, TopicItem.id)
        .limit(limit)
    )
    items = rows.all()
    touched: dict[UUID, None] = {}
    for item in items:
        topic = await _join(session, item)
        while (other := await _near(session, topic, kind)) is not None:
            older, younger = sorted((topic, other))
            await _merge(session, older, younger)
            touched.pop(younger, None)
            topic = older
        touched[topic] = None
    if touched:
        await rename(session, kind, list(touched))
    return len(items)


async def _join(session: AsyncSession, item: TopicItem) -> UUID:
    """Put `item` in the topic it belongs to, a new one where it belongs to none."""
    nearest = (await session.execute(_NEAREST, {"item": item.id})).first()
    if nearest is not None and nearest.closeness >= JOINS[TopicKind(item.kind)]:
        topic: UUID = nearest.id
        item.topic_id = topic
        await session.flush()
        await session.execute(_CENTRE, {"topic": topic})
        return topic
    made = new_id()
    own = select(TopicItem.vector).where(TopicItem.id == item.id).scalar_subquery()
    await session.execute(
        insert(Topic).values(
            id=made,
            kind=item.kind,
            language=item.language,
            title=item.text,
            words=[],
            vector=own,
            vector_model=item.vector_model,
            created_at=item.at,
        )
    )
    item.topic_id = made
    await session.flush()
    return made


async def _near(session: AsyncSession, topic: UUID, kind: TopicKind) -> UUID | None:
    """Return another topic that is the same as `topic`, if there is one."""
    found = (await session.execute(_NEXT, {"topic": topic})).first()
    return None if found is None or found.closeness < JOINS[kind] else found.id


async def _merge(session: AsyncSession, older: UUID, younger: UUID) -> None:
    """Let `older` take all of `younger`, and what was decided about it if nothing was of itself."""
    await session.execute(
        update(TopicItem).where(TopicItem.topic_id == younger).values(topic_id=older)
    )
    kept, gone = await session.get_one(Topic, older), await session.get_one(Topic, younger)
    if kept.state == TopicState.OPEN:
        kept.state, kept.decided_at, kept.decided_by = gone.state, gone.decided_at, gone.decided_by
        kept.article_id, kept.problem_id = gone.article_id, gone.problem_id
    await session.delete(gone)
    await session.flush()
    await session.execute(_CENTRE, {"topic": older})


async def rename(session: AsyncSession, kind: TopicKind, topics: Sequence[UUID]) -> None:
    """Give topics their most typical item as a title, and the words that tell them apart."""
    recent = await session.scalars(
        select(TopicItem.text)
        .where(TopicItem.kind == kind)
        .order_by(TopicItem.at.desc())
        .limit(_COMPARED_WITH)
    )
    everywhere: Counter[str] = Counter()
    total = 0
    for said in recent:
        everywhere.update(words_in(said))
        total += 1
    for name in topics:
        topic = await session.get(Topic, name)
        typical = (await session.execute(_TYPICAL, {"topic": name})).first()
        if topic is None or typical is None:
            continue
        topic.title, topic.language = typical.text, typical.language
        own = await session.scalars(
            select(TopicItem.text)
            .where(TopicItem.topic_id == name)
            .order_by(TopicItem.at.desc())
            .limit(_NAMED_BY)
        )
        texts = own.all()
        common = await _common(session, {word for said in texts for word in words_in(said)})
        topic.words = distinctive_words(texts, everywhere, total, common)


async def _common(session: AsyncSession, words: Collection[str]) -> set[str]:
    """Return those of `words` that PostgreSQL's dictionaries hold for stop words."""
    rows = await session.scalars(
        _COMMON, {"words": sorted(words), "configurations": list(CONFIGURATIONS.values())}
    )
    return set(rows)


async def forget_empty(session: AsyncSession, among: Collection[UUID] | None = None) -> None:
    """Delete topics, all or those `among` these, that nothing belongs to any more."""
    has_items = select(TopicItem.id).where(TopicItem.topic_id == Topic.id).exists()
    empty = delete(Topic).where(~has_items)
    await session.execute(empty if among is None else empty.where(Topic.id.in_(among)))


async def adopt(session: AsyncSession, kind: TopicKind, model: str) -> None:
    """Bring topics to the vectors of `model`, once all their items have one; decisions stay."""
    await session.execute(LOCK)
    rows = await session.scalars(_ADOPTED, {"kind": kind, "model": model})
    for adopted in rows.all():
        topic = adopted
        if await session.get(Topic, topic) is None:
            continue  # another one has taken it in
        while (other := await _near(session, topic, kind)) is not None:
            topic, younger = sorted((topic, other))
            await _merge(session, topic, younger)
