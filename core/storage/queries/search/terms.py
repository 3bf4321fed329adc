"""Reads what the index knows of words: how it is asked for them, and which are written alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_WORDS = text(
    """
    SELECT asked.place, search_query(asked.word)::text, search_beginnings(asked.word)::text
    FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked (word, place)
    """
)
_KNOWN = text(
    """
    SELECT asked.word, search_folded(asked.word), known.uses
    FROM unnest(CAST(:words AS text[])) AS asked (word)
    LEFT JOIN search_word AS known ON known.word = search_folded(asked.word)
    """
)
_NEAR = text(
    """
    SELECT near.word, near.uses FROM search_word AS near
    WHERE near.forms && search_forms(CAST(:word AS text)) AND near.word <> :word
    ORDER BY near.uses DESC LIMIT 200
    """
)
_BEGUN = text(
    """
    SELECT word FROM (
        SELECT word, uses FROM search_word
        WHERE word > :word AND word < CAST(:word AS text) || U&'\\+10FFFF' LIMIT 500) AS begun
    ORDER BY uses DESC LIMIT :limit
    """
)
_LIKE = text(
    """
    SELECT word, uses FROM search_word
    WHERE word > :first AND word < CAST(:first AS text) || U&'\\+10FFFF'
      AND length(word) BETWEEN :least AND :most
    ORDER BY uses DESC LIMIT 20000
    """
)
_MATCHED = text(
    """
    SELECT written.word FROM unnest(CAST(:words AS text[])) AS written (word)
    WHERE search_document('', written.word) @@ CAST(:query AS tsquery)
       OR search_person(written.word, '') @@ CAST(:beginnings AS tsquery)
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word of a question as the index is asked for it."""

    query: str  # a tsquery; empty where the word is too common to be looked for
    beginnings: str  # a tsquery for names of people
    uses: int  # in how many texts it was seen


async def read_terms(session: AsyncSession, words: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Return for each word the query for texts and the one for names."""
    rows = await session.execute(_WORDS, {"words": list(words)})
    return [(query, beginnings) for _, query, beginnings in sorted(tuple(row) for row in rows)]


async def known_words(
    session: AsyncSession, words: Collection[str]
) -> Mapping[str, tuple[str, int]]:
    """Return each word without accents and in how many texts it was seen."""
    if not words:
        return {}
    rows = await session.execute(_KNOWN, {"words": list(words)})
    return {word: (folded, uses or 0) for word, folded, uses in rows}


async def near_words(session: AsyncSession, word: str) -> Mapping[str, int]:
    """Return the words that may be one slip away from `word`, with how often they were seen."""
    rows = await session.execute(_NEAR, {"word": word})
    return {near: uses for near, uses in rows}  # noqa: C416  # rows are no pairs to `dict`


async def begun_words(session: AsyncSession, word: str, limit: int) -> Sequence[str]:
    """Return the words that go on from `word`, those seen most often first."""
    return (await session.scalars(_BEGUN, {"word": word, "limit": limit})).all()


async def words_like(session: AsyncSession, word: str, letters: int) -> Mapping[str, int]:
    """Return the words that begin as `word` does, and how often they were seen.

    Those that are at most so many letters shorter or longer, and at most 20,000 of them.
    """
    values = {"first": word[0], "least": len(word) - letters, "most": len(word) + letters}
    rows = await session.execute(_LIKE, values)
    return {like: uses for like, uses in rows}  # noqa: C416  # rows are no pairs to `dict`


async def matched_words(
    session: AsyncSession, words: Collection[str], terms: Sequence[Term]
) -> frozenset[str]:
    """Return which of `words`, as they are written, are found by one of `terms`."""
    values = {
        "words": list(words),
        "query": any_of([term.query for term in terms]),
        "beginnings": any_of([term.beginnings for term in terms]),
    }
    return frozenset(await session.scalars(_MATCHED, values))


def any_of(queries: Sequence[str]) -> str:
    """Return a tsquery for what one of `queries` finds."""
    return " | ".join(f"({query})" for query in queries if query)
