"""Finds the words of articles that a mistyped word may stand for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# In one order everywhere, so that transactions that learn the same words do not wait for each
# other in a circle.
_LEARN = text(
    """
    INSERT INTO near_word (configuration, form, word)
    SELECT DISTINCT fresh.configuration, near.form, fresh.word
    FROM unnest(CAST(:configurations AS text[]), CAST(:words AS text[]))
             AS fresh (configuration, word),
         LATERAL (SELECT fresh.word AS form
                  UNION SELECT overlay(fresh.word PLACING '' FROM place FOR 1)
                  FROM generate_series(1, length(fresh.word)) AS place) AS near
    WHERE NOT EXISTS (
        SELECT FROM near_word AS known
        WHERE known.configuration = fresh.configuration
          AND known.form = fresh.word AND known.word = fresh.word)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
    """
)

# A word is known where some article has it, or where it is too common to be looked for.
_NEAR = text(
    """
    WITH unknown AS MATERIALIZED (
        SELECT asked.word FROM unnest(CAST(:words AS text[])) AS asked (word)
        WHERE NOT EXISTS (
            SELECT FROM unnest(CAST(:known_in AS text[])) AS c (configuration)
            LEFT JOIN LATERAL unnest(to_tsvector(CAST(c.configuration AS regconfig), asked.word))
                AS said ON true
            WHERE said.lexeme IS NULL OR EXISTS (
                SELECT FROM posting
                WHERE posting.configuration = c.configuration AND posting.lexeme = said.lexeme))
    )
    SELECT DISTINCT unknown.word, near_word.word
    FROM unknown
    JOIN unnest(CAST(:owners AS text[]), CAST(:forms AS text[])) AS asked (word, form)
        ON asked.word = unknown.word
    JOIN near_word ON near_word.form = asked.form
    WHERE near_word.configuration = ANY(:configurations)
    """
)


async def learn(session: AsyncSession, words: Collection[tuple[str, str]]) -> None:
    """Make words findable by their near forms; each comes with its text search configuration.

    Has to be the last a transaction locks: see `core.services.knowledge.indexing.learn_words`.
    """
    if words:
        configurations, spelt = zip(*words, strict=True)
        await session.execute(
            _LEARN, {"configurations": list(configurations), "words": list(spelt)}
        )


async def near(
    session: AsyncSession,
    forms: Mapping[str, Collection[str]],
    *,
    configurations: Collection[str],
    known_in: Collection[str],
) -> dict[str, set[str]]:
    """Return what each word that no article has may stand for.

    `forms` are the words of a question, folded, with what each is with one letter left out;
    `known_in` are the configurations whose articles may have the word, `configurations` those
    whose words come into question.
    """
    pairs = [(word, form) for word, near_forms in forms.items() for form in near_forms]
    if not pairs:
        return {}
    rows = await session.execute(
        _NEAR,
        {
            "words": list(forms),
            "owners": [word for word, _ in pairs],
            "forms": [form for _, form in pairs],
            "configurations": list(configurations),
            "known_in": list(known_in),
        },
    )
    found: dict[str, set[str]] = {}
    for typed, word in rows:
        found.setdefault(typed, set()).add(word)
    return found
