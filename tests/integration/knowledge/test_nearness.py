"""How close an article is to a question: its nearest passage, and its centre."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from sqlalchemy import Text, cast, select, update

from core.services.knowledge import Knowledge
from core.storage.engine import Sessions
from core.storage.queries.knowledge.knowledge import Candidate, Reader, by_vectors, prepare_search
from core.storage.tables import Passage
from tests.integration.knowledge.world import ARTICLES

MODEL = "drawn"
Vector = Sequence[float]


def drawn(number: int) -> Vector:
    """Return some unit vector, another one for each number; they lie as close as real ones."""
    raw = [1.0 + math.sin(number * 7919 + place * 104729) for place in range(384)]
    length = math.hypot(*raw)
    return [one / length for one in raw]


def cosine(one: Vector, other: Vector) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.hypot(*one) / math.hypot(*other)


def mean(vectors: Sequence[Vector]) -> Vector:
    return [sum(numbers) / len(vectors) for numbers in zip(*vectors, strict=True)]


async def near(sessions: Sessions, question: Vector, *, limit: int = 100) -> dict[str, Candidate]:
    async with sessions() as session:
        await prepare_search(session, thoroughness=limit)
        return await by_vectors(
            session,
            question,
            MODEL,
            also=(),
            language=None,
            reader=Reader(),
            exclude=(),
            limit=limit,
        )


@pytest.fixture
async def stored(wordy: Knowledge, sessions: Sessions) -> dict[str, dict[str, list[Vector]]]:
    """By article and kind of passage, the vectors that the small knowledge base was given."""
    assert wordy
    found: dict[str, dict[str, list[Vector]]] = {}
    async with sessions.begin() as session:
        rows = await session.execute(
            select(Passage.id, Passage.article_id, Passage.kind).order_by(cast(Passage.id, Text))
        )
        for number, (passage, article, kind) in enumerate(rows.all()):
            vector = drawn(number)
            found.setdefault(article, {}).setdefault(kind, []).append(vector)
            await session.execute(
                update(Passage)
                .where(Passage.id == passage)
                .values(vector=vector, vector_model=MODEL)
            )
    return found


async def test_cosines_are_those_of_the_nearest_passage_and_of_the_mean(
    stored: dict[str, dict[str, list[Vector]]], sessions: Sessions
) -> None:
    question = drawn(1000)
    found = await near(sessions, question)
    assert set(found) == {one.id for one in ARTICLES if one.audience == "public"}
    for name, candidate in found.items():
        kinds = stored[name]
        assert candidate.nearness is not None
        nearest = max(cosine(question, vector) for own in kinds.values() for vector in own)
        assert candidate.nearness.passage == pytest.approx(nearest, abs=5e-4)
        centre = cosine(question, mean(kinds["title"] + kinds["question"]))
        assert candidate.nearness.centre == pytest.approx(centre, abs=5e-4)
        assert candidate.nearness.has_questions


async def test_an_article_that_is_only_a_body_has_no_centre(
    stored: dict[str, dict[str, list[Vector]]], sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        await session.execute(
            update(Passage)
            .where(Passage.article_id == "book-room", Passage.kind != "body")
            .values(vector=None, vector_model=None)
        )
    (body,) = stored["book-room"]["body"]
    found = await near(sessions, body, limit=1)
    nearness = found["book-room"].nearness
    assert nearness is not None
    assert nearness.passage == pytest.approx(1.0, abs=5e-4)
    assert nearness.centre is None
    assert not nearness.has_questions
