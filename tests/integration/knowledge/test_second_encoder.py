"""A second encoder ranks what the first one finds, in the languages that it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.adapters.embeddings import HttpEmbedder
from core.domain.errors import EmbedderUnavailable
from core.runtime.minilm import LANGUAGES, MODEL
from core.services.knowledge import Knowledge
from core.services.knowledge.ranking import Policy
from core.services.knowledge.search import Found, Search
from core.storage.engine import Sessions
from core.storage.tables import Passage
from tests.integration.knowledge.world import ARTICLES, article

QUESTION = "I cannot remember what I sign in with"


@pytest.fixture
async def second(embedder_url: str) -> AsyncIterator[HttpEmbedder]:
    encoder = HttpEmbedder(
        embedder_url, MODEL, languages=LANGUAGES, query_seconds=30.0, passages_seconds=300.0
    )
    yield encoder
    await encoder.close()


@pytest.fixture
async def both(
    knowledge: Knowledge, sessions: Sessions, embedder: HttpEmbedder, second: HttpEmbedder
) -> Knowledge:
    """The small knowledge base, which both encoders have read; the first one read it before."""
    assert knowledge
    both = Knowledge(sessions, embedder, second=second)
    while await both.embed_pending():
        pass
    return both


async def found(
    sessions: Sessions,
    embedder: HttpEmbedder,
    second: HttpEmbedder,
    question: str,
    language: str | None,
) -> Found:
    return await Search(sessions, embedder, Policy(), second=second).gather(question, language)


async def read(sessions: Sessions, name: str) -> dict[str, bool]:
    """Return the kinds of an article's passages that the second encoder looked at, and whether
    they have a vector.
    """
    async with sessions() as session:
        rows = await session.execute(
            select(Passage.kind, Passage.second_vector).where(
                Passage.article_id == name, Passage.second_model == MODEL
            )
        )
        return {kind: vector is not None for kind, vector in rows}


async def test_it_reads_titles_and_questions_in_its_languages(
    both: Knowledge, sessions: Sessions
) -> None:
    assert await read(sessions, "reset-password") == {
        "title": True,
        "question": True,
        "body": False,
    }
    assert not any((await read(sessions, "restablecer-contrasena")).values())
    assert await both.embed_pending() == 0


async def test_both_speak_for_an_article_at_once(
    both: Knowledge, sessions: Sessions, embedder: HttpEmbedder, second: HttpEmbedder
) -> None:
    finding = await both.search(QUESTION, "en")
    assert finding.hits[0].article == "reset-password"
    whole = await found(sessions, embedder, second, QUESTION, "en")
    assert whole.with_second
    by_article = {candidate.article: evidence for candidate, evidence in whole.candidates}
    jam, reset = by_article["printer-jam"], by_article["reset-password"]
    assert jam.second is not None
    assert reset.second is not None
    assert jam.second < 0.35 < reset.second
    assert -1 <= (reset.second_centre or -2) <= 1


@pytest.mark.parametrize("language", ["es", "fr", None])
async def test_in_other_languages_it_is_left_out(
    both: Knowledge,
    sessions: Sessions,
    embedder: HttpEmbedder,
    second: HttpEmbedder,
    language: str | None,
) -> None:
    question = "no recuerdo mi contraseña"
    whole = await found(sessions, embedder, second, question, language)
    assert whole.with_vectors
    assert not whole.with_second
    assert await both.search(question, language) == await Knowledge(sessions, embedder).search(
        question, language
    )


async def test_while_it_is_away_the_first_one_decides_alone(
    both: Knowledge, sessions: Sessions, embedder: HttpEmbedder
) -> None:
    assert both
    nobody = HttpEmbedder("http://127.0.0.1:9", MODEL, languages=LANGUAGES)
    alone = Knowledge(sessions, embedder, second=nobody)
    only_first = await Knowledge(sessions, embedder).search(QUESTION, "en")
    assert await alone.search(QUESTION, "en") == only_first
    await alone.create(article("canteen", "When the canteen opens"))
    with pytest.raises(EmbedderUnavailable):
        await alone.embed_pending()
    assert (await alone.search("opening hours of the cantina", "en")).hits[0].article == "canteen"
    assert not await alone.learn_offers()
    await nobody.close()


async def test_an_article_in_another_language_now_is_read_anew(
    both: Knowledge, sessions: Sessions
) -> None:
    (spanish,) = [one for one in ARTICLES if one.language == "es"]
    await both.update(replace(spanish, language="en", translation_of=None))
    while await both.embed_pending():
        pass
    assert await read(sessions, spanish.id) == {"title": True, "question": True, "body": False}
    await both.update(spanish)
    await both.embed_pending()
    assert both
    hits = (await both.search(spanish.questions[0], "en")).hits
    assert "restablecer-contrasena" not in {hit.article for hit in hits[:1]}


async def test_new_passages_are_read_by_both_in_one_change(
    sessions: Sessions, embedder: HttpEmbedder, second: HttpEmbedder
) -> None:
    both = Knowledge(sessions, embedder, second=second)
    await both.create(ARTICLES[0])
    assert await both.embed_pending() == 4
    async with sessions() as session:
        models: Sequence[tuple[str | None, str | None]] = [
            (row.vector_model, row.second_model)
            for row in await session.execute(select(Passage.vector_model, Passage.second_model))
        ]
    assert models == [(embedder.model, second.model)] * 4
    assert await both.learn_offers()
