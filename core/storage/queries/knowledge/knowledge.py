"""Finds articles by words and by vectors; knows how both are ranked inside PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import OrganisationId
from core.domain.knowledge import Audience
from core.storage.tables.vector import vector_text
from core.storage.text_search import configuration_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMatch:
    """How well an article's words match a question."""

    article: str
    score: float  # 0 to 1: BM25, as a share of what the best imaginable article would get
    coverage: float  # 0 to 1: share of the question's words that occur, the rare ones counting more


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How close an article is to a question in meaning, as cosines."""

    passage: float  # the nearest one
    centre: float | None  # the mean of title and questions; None without any
    has_questions: bool
    # The same by the second encoder, of title and questions; None where it has not read any.
    second: float | None = None
    second_centre: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondVector:
    """A question as the second encoder reads it."""

    vector: Sequence[float]
    model: str
    languages: frozenset[str]  # of the articles that it compares


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom is searched: which articles there are for them, before any question."""

    audience: Audience = Audience.PUBLIC  # INTERNAL reads everything
    organisation: OrganisationId | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What the condition for articles that may be read takes."""
        return {
            "audiences": list({Audience.PUBLIC, self.audience}),
            "reads_all": self.audience is Audience.INTERNAL,
            "organisation": "" if self.organisation is None else str(self.organisation),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Words that may be meant by one place of a question, and how much they count, 0 to 1.

    Guesses of one slot are alternatives.
    """

    slot: int
    words: str
    trust: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What ranking needs to know of an article besides its words."""

    article: str
    title: str
    language: str
    translation_of: str | None
    nearness: Nearness | None = None  # None without vectors


_POSTINGS_PER_WORD = 2000
_COUNTED_PER_WORD = 30_000

# For each word of the question the articles that say most with it, from the index alone, so that
# a word that is everywhere costs no more than a rare one. A word with guesses (what a mistyped one
# stands for, synonyms) is one slot: it counts once, by the best of its lexemes.
_BY_WORDS = text(
    """
    WITH asked AS MATERIALIZED (  -- else each use of a frequency counts anew
        SELECT c.configuration, word.slot, word.lexeme, word.trust, c.articles,
               (SELECT count(*)::float8 FROM (
                    SELECT FROM posting
                    WHERE posting.configuration = c.configuration AND posting.lexeme = word.lexeme
                    LIMIT :counted) AS counted) AS frequency
        FROM unnest(CAST(:configurations AS text[]), CAST(:articles AS bigint[]))
                 AS c (configuration, articles),
             LATERAL (
                 SELECT lexeme AS slot, lexeme, 1.0 AS trust
                 FROM unnest(to_tsvector(CAST(c.configuration AS regconfig), :question))
                 UNION ALL
                 SELECT '=' || guess.slot, said.lexeme, max(guess.trust)
                 FROM unnest(CAST(:slots AS int[]), CAST(:guesses AS text[]),
                             CAST(:trusts AS float8[])) AS guess (slot, words, trust),
                      LATERAL unnest(to_tsvector(CAST(c.configuration AS regconfig), guess.words))
                          AS said
                 GROUP BY guess.slot, said.lexeme
             ) AS word
    ), weighed AS (
        SELECT configuration, slot, lexeme, frequency, trust,
               ln(1 + (greatest(articles, frequency) - frequency + 0.5) / (frequency + 0.5)) AS idf
        FROM asked
    ), total AS (
        SELECT configuration, sum(idf) AS idf FROM (
            SELECT configuration, coalesce(max(idf) FILTER (WHERE frequency > 0), max(idf)) AS idf
            FROM weighed GROUP BY configuration, slot) AS slots
        GROUP BY configuration
    ), said AS (
        SELECT found.article_id, weighed.configuration, weighed.slot,
               max(weighed.idf * weighed.trust * found.weight) AS score,
               max(weighed.idf * weighed.trust) AS covered
        FROM weighed CROSS JOIN LATERAL (
            SELECT article_id, weight FROM posting
            WHERE posting.configuration = weighed.configuration
              AND posting.lexeme = weighed.lexeme
            ORDER BY posting.weight DESC LIMIT :per_word) AS found
        GROUP BY found.article_id, weighed.configuration, weighed.slot
    ), scored AS (
        SELECT article_id, configuration, sum(score) AS score, sum(covered) AS covered
        FROM said GROUP BY article_id, configuration
    )
    SELECT article_id, score / total.idf AS score, covered / total.idf AS covered
    FROM scored JOIN total USING (configuration)
    WHERE total.idf > 0
    ORDER BY score DESC, article_id LIMIT :limit
    """
)

READABLE = """
    article.audience = ANY(:audiences)
    AND (:reads_all OR article.organisations = '[]'
         OR jsonb_exists(article.organisations, :organisation))
    AND coalesce(article.valid_from <= current_date, true)
    AND coalesce(article.valid_until >= current_date, true)
"""
"""Condition for an article that a `Reader` may read; takes `Reader.parameters`."""

# Articles found in another language bring their version in the asker's: what is found of a family
# of translations is what may be shown of it.
_WITH_VERSIONS = """
    SELECT article_id FROM found
    UNION
    SELECT version.id
    FROM found JOIN article AS one ON one.id = found.article_id
         JOIN article AS version
              ON coalesce(version.translation_of, version.id) = coalesce(one.translation_of, one.id)
    WHERE version.language = CAST(:language AS text) AND one.language <> version.language
"""

# Candidates that words found get their cosines too, wherever they stand among the nearest. Bodies
# are not of the centre: long ones are about much. Its cosine is the mean cosine over its length,
# because adding up 384 numbers exactly (`avg`) takes as long as all the rest. The second encoder
# looks for nothing: it is asked about what was found.
_BY_VECTORS = text(
    f"""
    WITH nearest AS MATERIALIZED (
        SELECT passage.article_id
        FROM passage JOIN article ON article.id = passage.article_id
        WHERE passage.vector_model = :model AND {READABLE} AND article.id <> ALL(:exclude)
        ORDER BY passage.vector <=> CAST(:vector AS halfvec) LIMIT :limit
    ), found AS (
        SELECT article_id FROM nearest UNION SELECT unnest(CAST(:also AS text[]))
    ), candidate AS ({_WITH_VERSIONS})
    SELECT article.id, title, language, translation_of, near.passage, near.centre, has_questions,
           second, second_centre
    FROM candidate JOIN article ON article.id = candidate.article_id,
         LATERAL (
             SELECT max(cosine) AS passage, bool_or(kind = 'question') AS has_questions,
                    avg(cosine) FILTER (WHERE kind <> 'body')
                        / nullif(l2_norm(sum(vector) FILTER (WHERE kind <> 'body')), 0)
                        * count(*) FILTER (WHERE kind <> 'body') AS centre,
                    max(second_cosine) AS second,
                    avg(second_cosine) / nullif(l2_norm(sum(second_vector)), 0)
                        * count(second_cosine) AS second_centre
             FROM (SELECT kind, vector, 1 - (vector <=> CAST(:vector AS halfvec)) AS cosine,
                          read.second_vector,
                          1 - (read.second_vector <=> CAST(:second_vector AS halfvec))
                              AS second_cosine
                   FROM passage LEFT JOIN LATERAL (
                       SELECT passage.second_vector
                       WHERE passage.second_model = CAST(:second_model AS text)
                         AND article.language = ANY(CAST(:second_languages AS text[]))
                   ) AS read ON true
                   WHERE passage.article_id = article.id AND vector_model = :model) AS own
         ) AS near
    WHERE {READABLE} AND article.id <> ALL(:exclude)
    """  # noqa: S608  # constants of this module
)

_VISIBLE = text(
    f"""
    WITH found AS (SELECT unnest(CAST(:ids AS text[])) AS article_id),
         candidate AS ({_WITH_VERSIONS})
    SELECT id, title, language, translation_of
    FROM candidate JOIN article ON article.id = candidate.article_id
    WHERE {READABLE} AND article.id <> ALL(:exclude)
    """  # noqa: S608  # constants of this module
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

STATEMENTS = (str(_INDEX_WORDS), str(_BY_WORDS), str(_BY_VECTORS))
"""What decides which evidence a question finds: who fits coefficients to it has to know."""


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
    session: AsyncSession,
    question: str,
    counts: Mapping[str, int],
    *,
    guesses: Sequence[Guess] = (),
    limit: int,
) -> list[WordMatch]:
    """Return the articles that share most with a question, best first; it is folded already.

    What `guesses` replace is left out of `question`.
    """
    rows = await session.execute(
        _BY_WORDS,
        {
            "question": question,
            "slots": [guess.slot for guess in guesses],
            "guesses": [guess.words for guess in guesses],
            "trusts": [guess.trust for guess in guesses],
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
    language: str | None,
    reader: Reader,
    exclude: Collection[str],
    limit: int,
    second: SecondVector | None = None,
) -> dict[str, Candidate]:
    """Return the articles of the passages nearest to `vector`, those of `also`, and the versions of
    both in `language`.

    They are valid today, for `reader` to read, and not excluded.
    """
    rows = await session.execute(
        _BY_VECTORS,
        {
            "vector": vector_text(vector),
            "model": model,
            "second_vector": None if second is None else vector_text(second.vector),
            "second_model": None if second is None else second.model,
            "second_languages": [] if second is None else sorted(second.languages),
            "also": list(also),
            "language": language,
            **reader.parameters,
            "exclude": list(exclude),
            "limit": limit,
        },
    )
    return {
        row[0]: Candidate(
            article=row[0],
            title=row[1],
            language=row[2],
            translation_of=row[3],
            nearness=None
            if row[4] is None
            else Nearness(
                passage=row[4],
                centre=row[5],
                has_questions=row[6],
                second=row[7],
                second_centre=row[8],
            ),
        )
        for row in rows
    }


async def visible(
    session: AsyncSession,
    ids: Collection[str],
    *,
    language: str | None = None,
    reader: Reader,
    exclude: Collection[str] = (),
) -> dict[str, Candidate]:
    """Return those of `ids`, and their versions in `language` if one is given.

    They are valid today, for `reader` to read, and not excluded.
    """
    rows = await session.execute(
        _VISIBLE,
        {
            "ids": list(ids),
            "language": language,
            "exclude": list(exclude),
            **reader.parameters,
        },
    )
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
