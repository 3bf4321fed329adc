"""Learns which words people use, so that a word typed wrongly is found all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from core.storage.engine import Sessions, storage_errors

_AT_ONCE = 1_000
_NOT_YET = timedelta(minutes=1)  # what is being written now may come before what was read already
_FEWEST_LETTERS, _MOST_LETTERS = 4, 24

# What nobody is to be led to teaches nothing: notes, spam, rehearsals.
_SOURCES = {
    "contact": "SELECT id, search_folded(coalesce(name, '')) AS words FROM contact AS source",
    "message": """
        SELECT source.id, CASE WHEN source.is_internal OR place.is_spam
            OR account.origin = 'rehearsal' THEN '' ELSE search_folded(source.text) END AS words
        FROM message AS source JOIN conversation AS place ON place.id = source.conversation_id
        LEFT JOIN account ON account.id = place.account_id""",
    "ticket": """
        SELECT source.id, CASE WHEN place.is_spam OR account.origin = 'rehearsal'
            THEN '' ELSE search_folded(source.subject) END AS words
        FROM ticket AS source JOIN conversation AS place ON place.id = source.conversation_id
        LEFT JOIN account ON account.id = place.account_id""",
}

# One worker at a time for each table; who comes meanwhile has nothing to do.
_LAST = text("SELECT last_id FROM search_progress WHERE source = :source FOR UPDATE SKIP LOCKED")
_REACHED = text("UPDATE search_progress SET last_id = :last WHERE source = :source")
_LEARN = """
    WITH batch AS MATERIALIZED (
        {source}
        WHERE source.id > :last AND source.id < :until ORDER BY source.id LIMIT :limit
    ), seen AS (
        SELECT said.lexeme AS word, count(*) AS uses
        FROM batch, unnest(to_tsvector('simple', batch.words)) AS said
        WHERE said.lexeme ~ :shape GROUP BY said.lexeme
    ), learnt AS (
        INSERT INTO search_word (word, forms, uses)
        SELECT word, search_forms(word), uses FROM seen ORDER BY word
        ON CONFLICT (word) DO UPDATE SET uses = search_word.uses + excluded.uses
    )
    SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""


class Vocabulary:
    """A duty: reads what was written since it last looked, a bounded part of it."""

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def learn(self) -> bool:
        """Learn the words of the next texts; say whether there were any."""
        found = [await self._learn(source) for source in sorted(_SOURCES)]
        return any(found)

    async def _learn(self, source: str) -> bool:
        async with storage_errors(), self._sessions.begin() as session:
            last = await session.scalar(_LAST, {"source": source})
            if last is None:
                return False
            values = {
                "last": last,
                "until": _first_id_at(self._now() - _NOT_YET),
                "limit": _AT_ONCE,
                "shape": f"^[[:alpha:]]{{{_FEWEST_LETTERS},{_MOST_LETTERS}}}$",
            }
            statement = text(_LEARN.format(source=_SOURCES[source]))
            reached = await session.scalar(statement, values)
            if reached is None:
                return False
            await session.execute(_REACHED, {"source": source, "last": reached})
            return True


def _first_id_at(moment: datetime) -> UUID:
    """Return the lowest id that could have been made at `moment` (RFC 9562, version 7)."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))
