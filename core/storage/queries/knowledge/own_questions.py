"""Reads what a knowledge base is asked of itself, and keeps what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ArticleId
from core.domain.knowledge import Article
from core.storage.queries.knowledge.articles import article_of
from core.storage.queries.knowledge.knowledge import READABLE, Reader
from core.storage.tables import ArticleRow, OfferThreshold, OwnFinding, Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnQuestion:
    """A title or an alternative question, and the article it belongs to."""

    article: ArticleId
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFound:
    """What one of the base's own questions found while it was left out of the base."""

    language: str
    scores: tuple[float, ...]  # of the articles that an offer would hold, best first
    right_at: int | None  # where among them the right one stands; None where it does not
    is_lost: bool = False  # its article was left out too: nothing there answers it


# How many passages there are, and the one made last: ids sort by time, and passages are replaced,
# never changed.
_STATE = text(
    """
    SELECT (SELECT count(*) FROM passage),
           (SELECT id FROM passage ORDER BY id DESC LIMIT 1),
           EXISTS (SELECT FROM passage WHERE vector_model IS NULL)
               OR EXISTS (SELECT FROM passage WHERE vector_model < :model)
               OR EXISTS (SELECT FROM passage WHERE vector_model > :model)
               OR CAST(:second AS text) IS NOT NULL AND EXISTS (
                   SELECT FROM passage JOIN article ON article.id = passage.article_id
                   WHERE kind <> 'body' AND language = ANY(CAST(:languages AS text[]))
                     AND second_model IS DISTINCT FROM :second)
    """
)

# Of what everybody may read, and in no order that could mean something. An article without
# questions is left out: its title is no question as people ask it.
_SAMPLE = text(
    f"""
    SELECT passage.article_id, article.language, passage.text
    FROM passage JOIN article ON article.id = passage.article_id
    WHERE passage.kind <> 'body' AND {READABLE}
      AND EXISTS (SELECT FROM passage AS other
                  WHERE other.article_id = article.id AND other.kind = 'question')
      AND EXISTS (SELECT FROM passage AS other
                  WHERE other.article_id = article.id AND other.text <> passage.text)
    ORDER BY md5(passage.text), passage.article_id LIMIT :most
    """  # noqa: S608  # constants of this module
)


async def state_of_index(
    session: AsyncSession, model: str, second: str | None, languages: Collection[str]
) -> str | None:
    """Return what changes with the passages; None while the models named have not read all.

    The second one reads what is in `languages`.
    """
    rows = await session.execute(
        _STATE, {"model": model, "second": second, "languages": sorted(languages)}
    )
    count, newest, is_pending = rows.one()
    return None if is_pending else f"{model} {second} {count} {newest}"


async def state_learned(session: AsyncSession) -> str | None:
    """Return the state of the index that the thresholds kept are of."""
    return await session.scalar(select(OfferThreshold.of_index).limit(1))


async def sample(session: AsyncSession, most: int) -> list[OwnQuestion]:
    """Return up to `most` titles and questions; the same of the same articles."""
    rows = await session.execute(_SAMPLE, {"most": most, **Reader().parameters})
    return [OwnQuestion(article=ArticleId(row[0]), language=row[1], text=row[2]) for row in rows]


async def leave_out(session: AsyncSession, question: OwnQuestion) -> Article | None:
    """Take the passages of `question` from its article, and return the article without it.

    None where it is gone. Meant for a transaction that is rolled back.
    """
    # Before its passages, as a deletion has it, so that neither waits for the other.
    row = await session.scalar(
        select(ArticleRow)
        .where(ArticleRow.id == question.article)
        .with_for_update(key_share=True, read=True)
    )
    if row is None:
        return None
    await session.execute(
        delete(Passage).where(
            Passage.article_id == question.article,
            Passage.kind != "body",
            Passage.text == question.text,
        )
    )
    article = article_of(row)
    return replace(
        article,
        title="" if article.title == question.text else article.title,
        questions=tuple(one for one in article.questions if one != question.text),
    )


async def family(session: AsyncSession, article: Article) -> list[ArticleId]:
    """Return `article` and its translations."""
    root = article.translation_of or article.id
    rows = await session.scalars(
        select(ArticleRow.id).where(or_(ArticleRow.id == root, ArticleRow.translation_of == root))
    )
    return [ArticleId(one) for one in rows]


async def offers_from(session: AsyncSession) -> Mapping[str, float]:
    """Return the thresholds kept, by language."""
    rows = await session.execute(select(OfferThreshold.language, OfferThreshold.offer_from))
    return {row.language: row.offer_from for row in rows}


async def findings(session: AsyncSession) -> list[OwnFound]:
    """Return what the base's own questions found when they were last asked."""
    rows = await session.scalars(select(OwnFinding).order_by(OwnFinding.place))
    return [
        OwnFound(
            language=row.language,
            scores=tuple(row.scores),
            right_at=row.right_at,
            is_lost=row.is_lost,
        )
        for row in rows
    ]


async def keep(
    session: AsyncSession,
    thresholds: Mapping[str, float],
    found: Sequence[OwnFound],
    of_index: str,
) -> None:
    """Replace the thresholds and findings kept; of two workers that learned at once one counts."""
    # Who comes second waits here, and then replaces all of it.
    await session.execute(text("LOCK TABLE offer_threshold IN SHARE ROW EXCLUSIVE MODE"))
    await session.execute(delete(OfferThreshold))
    await session.execute(
        insert(OfferThreshold),
        [
            {"language": language, "offer_from": threshold, "of_index": of_index}
            for language, threshold in sorted(thresholds.items())
        ],
    )
    await session.execute(delete(OwnFinding))
    if found:
        await session.execute(
            insert(OwnFinding),
            [{"place": place, **asdict(one)} for place, one in enumerate(found)],
        )
