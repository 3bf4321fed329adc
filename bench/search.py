"""How long the knowledge search takes, the embedding of the question aside, among many passages."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import psycopg

from bench.machine import REPOSITORY
from bench.questions import distinct_questions
from bench.report import Figure, at_most
from bench.stored import Server
from bench.timings import in_ms, percentile
from core.services.knowledge import Knowledge
from core.storage.engine import open_engine, sessions_of

_DATABASE = "bench_search"
_ARTICLES = REPOSITORY / "nlu_data" / "knowledge"
_MODEL = "drawn"
_DIMENSIONS = 384
_WARM_UP = 20
_ASKED = 200
_TARGET_MS = 50.0

# The starter articles again and again, every passage with a vector of its own. Real articles share
# fewer words and their vectors lie in clusters: for both indexes this is harder than life.
_FILL = (
    "SET maintenance_work_mem = '512MB'",
    "DROP INDEX ix_passage_vector",
    """
    INSERT INTO article (id, language, title, body)
    SELECT id || '-' || copy, language, title, body
    FROM article, generate_series(2, %(copies)s) AS copy
    """,
    """
    INSERT INTO posting (article_id, lexeme, configuration, weight)
    SELECT article_id || '-' || copy, lexeme, configuration, weight * (0.5 + random() / 2)
    FROM posting, generate_series(2, %(copies)s) AS copy
    """,
    """
    INSERT INTO passage (id, article_id, kind, text)
    SELECT uuidv7(), article_id || '-' || copy, kind, text
    FROM passage, generate_series(2, %(copies)s) AS copy
    """,
    """
    UPDATE passage SET vector_model = %(model)s, vector = (
        SELECT array_agg(random() - 0.5)::real[]::halfvec
        FROM generate_series(1, %(dimensions)s) WHERE passage.id IS NOT NULL)
    """,
    """
    UPDATE passage SET second_model = %(model)s, second_vector = (
        SELECT array_agg(random() - 0.5)::real[]::halfvec
        FROM generate_series(1, %(dimensions)s) WHERE passage.id IS NOT NULL)
    FROM article WHERE article.id = article_id AND kind <> 'body' AND language = 'en'
    """,
    "CREATE INDEX ix_passage_vector ON passage USING hnsw (vector halfvec_cosine_ops)",
    "VACUUM ANALYZE",
)


class DrawnVectors:
    """An `Embedder` that costs nothing: every question gets some vector of its own."""

    model = _MODEL
    dimensions = _DIMENSIONS
    languages = frozenset({"en"})  # as a second encoder
    is_missing = False

    async def embed_query(self, text: str) -> Sequence[float]:
        """Return a vector that has nothing to do with what `text` means."""
        lot = random.Random(text)
        return [lot.uniform(-1, 1) for _ in range(_DIMENSIONS)]

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return a vector for each of `texts`."""
        return [await self.embed_query(text) for text in texts]

    async def is_ready(self) -> bool:
        """Return True."""
        return True


async def measure(server: Server, *, passages: int) -> list[Figure]:
    """Ask among so many passages, one question after the other."""
    await server.create(_DATABASE, messages=0)
    engine = open_engine(server.url_of(_DATABASE))
    try:
        knowledge = Knowledge(sessions_of(engine), DrawnVectors(), second=DrawnVectors())
        await knowledge.import_path(_ARTICLES)
        held = await _multiply(server.url_of(_DATABASE), passages)
        waits = []
        for number, question in enumerate(distinct_questions(_WARM_UP + _ASKED)):
            began = time.perf_counter()
            await knowledge.search(question, "en")
            if number >= _WARM_UP:
                waits.append(time.perf_counter() - began)
    finally:
        await engine.dispose()
        await server.drop(_DATABASE)
    return [
        at_most(
            f"knowledge search among {held:,} passages, embedding aside, p95",
            percentile(waits, 95) * 1000,
            _TARGET_MS,
            "ms",
            note=f" ({in_ms(waits)})",
        )
    ]


async def _multiply(url: str, passages: int) -> int:
    """Fill the database with copies until it holds about so many passages; return how many."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        held = await _count(connection)
        values = {
            "copies": max(round(passages / held), 1),
            "model": _MODEL,
            "dimensions": _DIMENSIONS,
        }
        for statement in _FILL:
            takes_values = "%(" in statement
            await connection.execute(statement, values if takes_values else None)
        return await _count(connection)


async def _count(connection: psycopg.AsyncConnection) -> int:
    row = await (await connection.execute("SELECT count(*) FROM passage")).fetchone()
    assert row is not None
    return int(row[0])
