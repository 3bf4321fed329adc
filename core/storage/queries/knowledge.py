"""Finds articles by words and by vectors; knows how both are ranked inside PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.tables.vector import vector_text

CONFIGURATIONS: Mapping[str, str] = {"en": "english", "es": "spanish"}
"""Text search configuration of each language that has one; others are searched word by word."""


def configuration_of(language: str) -> str:
    """Return the text search configuration for texts in `language`."""
    return CONFIGURATIONS.get(language, "simple")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMatch:
    """How well an article's words match a question."""

    article: str
    score: float  # 0 to 1: BM25, as a share of what the best imaginable article would get
    coverage: float  # 0 to 1: share of the question's words that occur, the rare ones counting more


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMatch:
    """A passage close to a question in meaning."""

    article: str
    kind: str
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What ranking needs to know of an article besides its matches."""

    article: str
    title: str
    language: str
    translation_of: str | None


_POSTINGS_PER_WORD = 2000
_COUNTED_PER_WORD = 30_000

# For each word of the question the articles that say most with it, from the index alone, so that
# a word that is everywhere costs no more than a rare one.
_BY_WORDS = text(
    """
    WITH asked AS MATERIALIZED (  -- else each use of a frequency counts anew
        SELECT c.configuration, word.lexeme, c.articles,
               (SELECT count(*)::float8 FROM (
                    SELECT FROM posting
                    WHERE posting.configuration = c.configuration AND posting.lexeme = word.lexeme
                    LIMIT :counted) AS counted) AS frequency
        FROM unnest(CAST(:configurations AS text[]), CAST(:articles AS bigint[]))
                 AS c (configuration, articles),
             LATERAL unnest(to_tsvector(CAST(c.configuration AS regconfig), :question))
                 AS word (lexeme, positions, weights)
    ), weighed AS (
        SELECT configuration, lexeme, frequency,
               ln(1 + (greatest(articles, frequency) - frequency + 0.5) / (frequency + 0.5)) AS idf
        FROM asked
    ), total AS (
        SELECT configuration, sum(idf) AS idf FROM weighed GROUP BY configuration
    ), scored AS (
        SELECT said.article_id, weighed.configuration,
               sum(weighed.idf * said.weight) AS score, sum(weighed.idf) AS covered
        FROM weighed CROSS JOIN LATERAL (
            SELECT article_id, weight FROM posting
            WHERE posting.configuration = weighed.configuration
              AND posting.lexeme = weighed.lexeme
            ORDER BY posting.weight DESC LIMIT :per_word) AS said
        GROUP BY said.article_id, weighed.configuration
    )
    SELECT article_id, score / total.idf AS score, covered / total.idf AS covered
    FROM scored JOIN total USING (configuration)
    WHERE total.idf > 0
    ORDER BY score DESC, article_id LIMIT :limit
    """
)

# Candidates that words found get their cosines too, wherever they stand among the nearest.
_BY_VECTORS = text(
    """
    WITH nearest AS MATERIALIZED (
        SELECT passage.article_id, passage.kind, passage.vector <=> CAST(:vector AS halfvec) AS far
        FROM passage JOIN article ON article.id = passage.article_id
        WHERE passage.vector_model = :model AND {visible}
        ORDER BY passage.vector <=> CAST(:vector AS halfvec) LIMIT :limit
    )
    SELECT article_id, kind, far FROM nearest
    UNION ALL
    SELECT passage.article_id, passage.kind, passage.vector <=> CAST(:vector AS halfvec)
    FROM passage
    WHERE passage.article_id = ANY(:also) AND passage.vector_model = :model
      AND passage.article_id NOT IN (SELECT article_id FROM nearest)
    """.replace(
        "{visible}",
        """article.audience = ANY(:audiences)
          AND coalesce(article.valid_from <= current_date, true)
          AND coalesce(article.valid_until >= current_date, true)
          AND article.id <> ALL(:exclude)""",
    )
)

# Where an article's title and questions lie together. Bodies stay out: long ones are about much.
_CENTRES = text(
    """
    SELECT article_id, avg(vector) <=> CAST(:vector AS halfvec) FROM passage
    WHERE article_id = ANY(:articles) AND vector_model = :model AND kind <> 'body'
    GROUP BY article_id
    """
)

_VISIBLE = text(
    """
    SELECT id, title, language, translation_of FROM article
    WHERE id = ANY(:ids) AND article.audience = ANY(:audiences)
      AND coalesce(article.valid_from <= current_date, true)
      AND coalesce(article.valid_until >= current_date, true)
      AND article.id <> ALL(:exclude)
    """
)

# Each field's frequency is first put in relation to the field's usual length, then all saturate
# together (BM25F with fixed usual lengths, so that an article's postings depend on it alone).
_INDEX_WORDS = text(
    """
    INSERT INTO posting (article_id, configuration, lexeme, weight)
    SELECT :article, :configuration, lexeme, sum(amount) / (sum(amount) + :saturation)
    FROM unnest(CAST(:texts AS text[]), CAST(:boosts AS float8[]), CAST(:lengths AS float8[]))
             AS field (content, boost, usual_length),
         LATERAL to_tsvector(CAST(:configuration AS regconfig), field.content) AS words,
         LATERAL (SELECT coalesce(sum(cardinality(positions)), 0) AS length
                  FROM unnest(words)) AS whole,
         LATERAL (SELECT lexeme, field.boost * cardinality(positions)
                         / (1 - :slope + :slope * whole.length / field.usual_length) AS amount
                  FROM unnest(words)) AS said
    GROUP BY lexeme
    """
)


async def prepare_search(session: AsyncSession, *, thoroughness: int) -> None:
    """Let this transaction's vector searches look at `thoroughness` passages, filters aside."""
    await session.execute(
        text(
            "SELECT set_config('hnsw.ef_search', :thoroughness, true),"
            " set_config('hnsw.iterative_scan', 'relaxed_order', true)"
        ),
        {"thoroughness": str(thoroughness)},
    )


async def article_counts(session: AsyncSession) -> Mapping[str, int]:
    """Return how many articles each text search configuration has."""
    rows = await session.execute(text("SELECT language, count(*) FROM article GROUP BY language"))
    counts: dict[str, int] = {}
    for language, count in rows:
        configuration = configuration_of(language)
        counts[configuration] = counts.get(configuration, 0) + count
    return counts


async def by_words(
    session: AsyncSession, question: str, counts: Mapping[str, int], *, limit: int
) -> list[WordMatch]:
    """Return the articles that share most with `question`, best first; it is folded already."""
    rows = await session.execute(
        _BY_WORDS,
        {
            "question": question,
            "configurations": list(counts),
            "articles": list(counts.values()),
            "counted": _COUNTED_PER_WORD,
            "per_word": _POSTINGS_PER_WORD,
            "limit": limit,
        },
    )
    return [WordMatch(article=row[0], score=row[1], coverage=row[2]) for row in rows]


async def by_vectors(
    session: AsyncSession,
    vector: Sequence[float],
    model: str,
    *,
    also: Collection[str],
    audiences: Collection[str],
    exclude: Collection[str],
    limit: int,
) -> list[VectorMatch]:
    """Return the passages nearest to `vector`, and all passages of the articles in `also`."""
    rows = await session.execute(
        _BY_VECTORS,
        {
            "vector": vector_text(vector),
            "model": model,
            "also": list(also),
            "audiences": list(audiences),
            "exclude": list(exclude),
            "limit": limit,
        },
    )
    return [VectorMatch(article=row[0], kind=row[1], cosine=1 - row[2]) for row in rows]


async def centres(
    session: AsyncSession, vector: Sequence[float], model: str, *, articles: Collection[str]
) -> dict[str, float]:
    """Return the cosine to the mean of each article's title and questions, where it has any."""
    rows = await session.execute(
        _CENTRES,
        {"vector": vector_text(vector), "model": model, "articles": list(articles)},
    )
    return {row[0]: 1 - row[1] for row in rows}


async def visible(
    session: AsyncSession,
    ids: Collection[str],
    *,
    audiences: Collection[str],
    exclude: Collection[str],
) -> dict[str, Candidate]:
    """Return those of `ids` that are valid today, for one of `audiences`, and not excluded."""
    parameters: dict[str, Any] = {
        "ids": list(ids),
        "audiences": list(audiences),
        "exclude": list(exclude),
    }
    rows = await session.execute(_VISIBLE, parameters)
    return {
        row[0]: Candidate(article=row[0], title=row[1], language=row[2], translation_of=row[3])
        for row in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A part of an article for the index of words; its text is folded already."""

    text: str
    boost: float  # what a word is worth here
    usual_length: float  # in words


async def index_words(
    session: AsyncSession, article: str, language: str, fields: Sequence[Field]
) -> None:
    """Replace what the index of words has about `article`."""
    await session.execute(text("DELETE FROM posting WHERE article_id = :a"), {"a": article})
    await session.execute(
        _INDEX_WORDS,
        {
            "article": article,
            "configuration": configuration_of(language),
            "texts": [field.text for field in fields],
            "boosts": [field.boost for field in fields],
            "lengths": [field.usual_length for field in fields],
            "saturation": 1.2,
            "slope": 0.5,
        },
    )
