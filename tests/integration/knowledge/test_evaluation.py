"""An evaluation measures the search as it is and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.adapters.embeddings import HttpEmbedder
from core.domain.errors import EmbedderUnavailable, InvalidInput
from core.domain.ids import ArticleId, new_id
from core.domain.knowledge import Finding, Hit, Outcome
from core.services.knowledge.evaluation import Question, coverage, evaluate
from core.storage.engine import open_engine
from tests.integration.knowledge.world import ARTICLES

QUESTIONS = (
    {"query": "I forgot my password", "gold": ["reset-password"], "lang": "en"},
    {"query": "No recuerdo mi contraseña", "gold": ["restablecer-contrasena"], "lang": "es"},
    {"query": "I forgot my password", "gold": ["book-room"], "lang": "en"},
    {"query": "Who won the football match?", "gold": [], "lang": "en"},
    {"query": "", "gold": ["connect-vpn"]},
)


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    file = tmp_path / "kb.jsonl"
    records = (
        {
            "id": one.id,
            "lang": one.language,
            "title": one.title,
            "body": one.body,
            "questions": one.questions,
        }
        for one in ARTICLES
    )
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return file


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    file = tmp_path / "queries.jsonl"
    file.write_text("".join(f"{json.dumps(record)}\n" for record in QUESTIONS))
    return file


async def content(engine: AsyncEngine) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT nspname, relname FROM pg_namespace"
                " LEFT JOIN pg_class ON relnamespace = pg_namespace.oid ORDER BY 1, 2"
            )
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("with_vectors", [True, False])
async def test_counts_and_fractions_are_of_the_questions_asked(
    engine: AsyncEngine, embedder: HttpEmbedder, kb: Path, queries: Path, with_vectors: bool
) -> None:
    before = await content(engine)
    result = await evaluate(engine, embedder if with_vectors else None, kb, queries)
    assert (result["n_answerable"], result["n_unanswerable"]) == (4, 1)
    assert result["p_at_1"] == 0.5
    assert result["answered_right"] == 2
    assert result["answered_wrong"] == 1
    assert result["handed_off"] == 1
    assert result["unanswerable_answered"] == 0
    assert 0.5 <= result["hit_at_5"] <= 0.75
    assert 0.5 <= result["mrr"] <= 0.75
    assert 0 < result["search_ms_p50"] <= result["search_ms_p95"]
    assert await content(engine) == before


def found(score: float, *, gold: str | None) -> tuple[Question, Finding]:
    """A question that found article `a`; `gold` is the article that answers it."""
    hits = (Hit(article=ArticleId("a"), title="A", score=score),)
    answers = frozenset({ArticleId(gold)} if gold else ())
    return (
        Question(text="?", language=None, gold=answers),
        Finding(outcome=Outcome.ANSWER, hits=hits),
    )


def test_coverage_is_the_share_answered_right_at_the_best_threshold() -> None:
    findings = [found(0.9, gold="a"), found(0.8, gold="b"), found(0.7, gold="a")]
    findings += [found(0.6, gold="a"), found(0.5, gold=None)]
    assert coverage(findings, precision=0.95) == 1 / 4
    assert coverage(findings, precision=0.75) == 3 / 4


def test_equal_scores_are_answered_together_or_not_at_all() -> None:
    findings = [found(0.9, gold="a"), found(0.9, gold=None)]
    assert coverage(findings, precision=0.9) == 0.0
    assert coverage([], precision=0.9) == 0.0


async def test_nothing_stays_behind_when_it_fails(
    engine: AsyncEngine, kb: Path, queries: Path
) -> None:
    before = await content(engine)
    nobody = HttpEmbedder("http://127.0.0.1:9", "away")
    with pytest.raises(EmbedderUnavailable):
        await evaluate(engine, nobody, kb, queries)
    await nobody.close()
    assert await content(engine) == before


async def test_the_desks_own_articles_are_not_asked(
    engine: AsyncEngine, knowledge: object, kb: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "x", "title": "Something else", "lang": "en", "body": ""}\n')
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"query": "I forgot my password", "gold": ["reset-password"]}\n')
    result = await evaluate(engine, None, other, asked)
    assert result["hit_at_5"] == 0


async def test_a_missing_file_is_invalid_input(engine: AsyncEngine, kb: Path) -> None:
    with pytest.raises(InvalidInput, match="gone"):
        await evaluate(engine, None, kb, kb.with_name("gone.jsonl"))


async def test_a_database_that_was_never_migrated_will_do_and_stays_as_it_was(
    postgres: str, kb: Path, queries: Path
) -> None:
    name = f"test_{new_id().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        bare = open_engine(postgres.replace("/desk?", f"/{name}?"))
        before = await content(bare)
        assert (await evaluate(bare, None, kb, queries))["n_answerable"] == 4
        assert await content(bare) == before
        await bare.dispose()
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
