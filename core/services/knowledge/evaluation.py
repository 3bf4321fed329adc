"""How good the search is on given articles and questions, measured with the search itself."""

from __future__ import annotations

import asyncio
import math
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.schema import CreateIndex, CreateTable

from core.domain.errors import InvalidInput
from core.domain.ids import ArticleId
from core.domain.knowledge import Article, Finding, Outcome
from core.ports import Embedder, SecondEncoder
from core.services.knowledge.articles import add
from core.services.knowledge.indexing import learn_words
from core.services.knowledge.knowledge import Knowledge
from core.services.knowledge.plaintext import storable
from core.services.knowledge.ranking import OFFERED
from core.services.knowledge.sources import article_of, lines
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import (
    AnswerTolerance,
    ArticleRow,
    NearWord,
    OfferThreshold,
    Organisation,
    OwnFinding,
    Passage,
    Posting,
    SupportPlan,
    SynonymsRow,
)

_LOOKED_AT = 10  # articles of each finding; the mean reciprocal rank takes lower ranks for zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and the articles that answer it; none where nothing does."""

    text: str
    language: str | None
    gold: frozenset[ArticleId]


async def evaluate(
    engine: AsyncEngine,
    embedder: Embedder | None,
    kb_path: Path,
    queries_path: Path,
    *,
    second: SecondEncoder | None = None,
    wrong_answers_per_hundred: float = 10.0,
) -> dict[str, float | int]:
    """Return what the product's own search does with the questions of `queries_path`.

    Raises:
        InvalidInput: a line of the files is wrong; the message names file and line.
    """
    articles = await asyncio.to_thread(read_articles, kb_path)
    questions = await asyncio.to_thread(read_questions, queries_path)
    async with scratch(engine) as sessions:
        knowledge = Knowledge(
            sessions,
            embedder,
            second=second,
            wrong_answers_per_hundred=wrong_answers_per_hundred,
        )
        await fill(sessions, articles)
        await embed_all(sessions, knowledge)
        await knowledge.learn_offers()
        findings: list[tuple[Question, Finding]] = []
        seconds: list[float] = []
        for question in questions:
            began = time.perf_counter()
            finding = await knowledge.search(question.text, question.language, limit=_LOOKED_AT)
            seconds.append(time.perf_counter() - began)
            findings.append((question, finding))
    return {**judged(findings), **_latency(seconds)}


def read_articles(path: Path) -> list[Article]:
    """Return the articles of a JSONL file."""
    articles: dict[ArticleId, Article] = {}
    for place, record in lines(path):
        try:
            article = article_of(record)
        except InvalidInput as problem:
            raise InvalidInput(f"{place}: {problem}") from None
        if not article.id or article.id in articles:
            raise InvalidInput(f"{place}: an id is missing or taken")
        if isinstance(record, dict) and not record.get("title"):
            article = replace(article, title="")  # measured as it is, not with a made-up title
        articles[article.id] = replace(
            article,
            id=ArticleId(storable(article.id)),
            body=storable(article.body),
            title=storable(article.title),
            questions=tuple(storable(one) for one in article.questions),
        )
    if not articles:
        raise InvalidInput(f"{path}: no articles in this file")
    return list(articles.values())


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a JSONL file."""
    questions = []
    for place, record in lines(path):
        if isinstance(record, InvalidInput):
            raise InvalidInput(f"{place}: {record}") from None
        match record:
            case {"query": str(query), "gold": list(gold), **rest}:
                language = rest.get("lang")
            case _:
                raise InvalidInput(f"{place}: needs query, a text, and gold, a list of ids")
        if not all(isinstance(one, str) for one in gold) or not isinstance(language, str | None):
            raise InvalidInput(f"{place}: gold is a list of ids, lang a code such as en")
        questions.append(Question(text=query, language=language, gold=frozenset(gold)))
    if not questions:
        raise InvalidInput(f"{path}: no questions in this file")
    return questions


@asynccontextmanager
async def scratch(engine: AsyncEngine) -> AsyncIterator[Sessions]:
    """Open a knowledge base of its own, in a schema that nobody else ever sees.

    Schema and content live in one transaction that is rolled back at the end, so nothing stays
    behind however the process ends.
    """
    async with storage_errors(), engine.connect() as connection:
        schema = f"desk_scratch_{secrets.token_hex(6)}"
        transaction = await connection.begin()
        try:
            path = await connection.scalar(text("SELECT current_setting('search_path')"))
            await connection.execute(text(f"CREATE SCHEMA {schema}"))
            await connection.execute(
                text("SELECT set_config('search_path', :path, true)"),
                {"path": f"{schema}, {path}"},
            )
            # A database that was never migrated lacks it; made here, it goes with the rest.
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
            for mapped in (
                SupportPlan,
                Organisation,
                ArticleRow,
                Passage,
                Posting,
                NearWord,
                OfferThreshold,
                OwnFinding,
                AnswerTolerance,
                SynonymsRow,
            ):
                table = cast("Table", mapped.__table__)
                await connection.execute(CreateTable(table))
                for index in table.indexes:
                    await connection.execute(CreateIndex(index))
            yield async_sessionmaker(
                connection,
                class_=AsyncSession,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            )
        finally:
            await transaction.rollback()


async def fill(sessions: Sessions, articles: Sequence[Article]) -> None:
    """Store and index `articles`."""
    async with sessions.begin() as session:
        for article in articles:
            await add(session, article)
        await learn_words(session, articles)
        await session.execute(text("ANALYZE article, passage, posting, near_word"))


async def embed_all(sessions: Sessions, knowledge: Knowledge) -> None:
    """Give every passage its vectors."""
    while await knowledge.embed_pending():
        pass
    await count_vectors(sessions)


async def count_vectors(sessions: Sessions) -> None:
    """Let the planner know of the passages' vectors.

    Inside one transaction nobody else does, and each search would take several times as long.
    """
    async with sessions.begin() as session:
        await session.execute(text("ANALYZE passage"))


def judged(findings: Sequence[tuple[Question, Finding]]) -> dict[str, float | int]:
    """Return counts of outcomes, right and wrong, and how high the right article stood."""
    counts = dict.fromkeys(
        [
            "n_answerable",
            "n_unanswerable",
            "answered_right",
            "answered_wrong",
            "offered_right",
            "offered_wrong",
            "handed_off",
            "unanswerable_answered",
            "unanswerable_offered",
            "unanswerable_handed_off",
        ],
        0,
    )
    at_1 = in_5 = 0
    reciprocal = 0.0
    for question, finding in findings:
        found = [hit.article for hit in finding.hits]
        if not question.gold:
            counts["n_unanswerable"] += 1
            match finding.outcome:
                case Outcome.ANSWER:
                    counts["unanswerable_answered"] += 1
                case Outcome.OFFER:
                    counts["unanswerable_offered"] += 1
                case Outcome.HAND_OFF:
                    counts["unanswerable_handed_off"] += 1
            continue
        counts["n_answerable"] += 1
        rank = next((i for i, one in enumerate(found, start=1) if one in question.gold), None)
        at_1 += rank == 1
        in_5 += rank is not None and rank <= 5
        reciprocal += 1 / rank if rank else 0.0
        match finding.outcome:
            case Outcome.ANSWER:
                counts["answered_right" if rank == 1 else "answered_wrong"] += 1
            case Outcome.OFFER:
                is_among = rank is not None and rank <= OFFERED
                counts["offered_right" if is_among else "offered_wrong"] += 1
            case Outcome.HAND_OFF:
                counts["handed_off"] += 1
    n = counts["n_answerable"]
    return {
        **counts,
        "p_at_1": at_1 / n if n else 0.0,
        "hit_at_5": in_5 / n if n else 0.0,
        "mrr": reciprocal / n if n else 0.0,
        "coverage_at_90": coverage(findings, precision=0.90),
        "coverage_at_95": coverage(findings, precision=0.95),
    }


def coverage(findings: Sequence[tuple[Question, Finding]], *, precision: float) -> float:
    """Return the largest share of the answerable questions answered right at `precision`.

    That is, with the best threshold for the best article's score on these very questions, and
    with the answers given to questions that nothing answers counted as wrong. It says how well
    the scores tell right from wrong, whatever the thresholds in use.
    """
    given = sorted(
        (
            (finding.hits[0].score, finding.hits[0].article in question.gold)
            for question, finding in findings
            if finding.hits
        ),
        reverse=True,
    )
    answerable = sum(bool(question.gold) for question, _ in findings)
    right = best = 0
    for answers, (score, is_right) in enumerate(given, start=1):
        right += is_right
        is_last_of_its_score = answers == len(given) or given[answers][0] < score
        if is_last_of_its_score and right >= precision * answers:
            best = right
    return best / answerable if answerable else 0.0


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "search_ms_p50": round(statistics.median(ordered) * 1000, 2),
        "search_ms_p95": round(ordered[math.ceil(0.95 * len(ordered)) - 1] * 1000, 2),
    }
