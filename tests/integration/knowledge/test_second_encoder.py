"""A second encoder ranks what the first one finds, in the languages that it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update

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
    """Return the kinds of an article's passages that the second encoder read, with a vector."""
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
    assert await read(sessions, "reset-password") == {"title": True, "question": True}
    assert await read(sessions, "restablecer-contrasena") == {}
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
    both: Knowledge, sessions: Sessions, embedder: HttpEmbedder, second: HttpEmbedder
) -> None:
    (spanish,) = [one for one in ARTICLES if one.language == "es"]
    await both.update(replace(spanish, language="en", translation_of=None))
    looks_back = Knowledge(sessions, embedder, second=second)
    while await looks_back.embed_pending():
        pass
    assert await read(sessions, spanish.id) == {"title": True, "question": True}
    await both.update(spanish)
    whole = await found(sessions, embedder, second, QUESTION, "en")
    assert whole.with_second
    spanish_ones = [one for candidate, one in whole.candidates if candidate.language == "es"]
    assert all(one.second is None for one in spanish_ones)


async def test_while_some_of_what_is_found_is_unread_the_first_one_decides_alone(
    both: Knowledge, sessions: Sessions, embedder: HttpEmbedder, second: HttpEmbedder
) -> None:
    assert both
    async with sessions.begin() as session:
        await session.execute(
            update(Passage)
            .where(Passage.article_id == "printer-jam")
            .values(second_vector=None, second_model=None)
        )
    whole = await found(sessions, embedder, second, QUESTION, "en")
    assert not whole.with_second
    assert await both.search(QUESTION, "en") == await Knowledge(sessions, embedder).search(
        QUESTION, "en"
    )


async def test_a_service_without_the_model_is_done_without(
    knowledge: Knowledge, sessions: Sessions, embedder: HttpEmbedder, embedder_url: str
) -> None:
    assert knowledge
    lacking = HttpEmbedder(
        embedder_url, "no-such-model", languages=LANGUAGES, passages_seconds=300.0
    )
    assert not lacking.is_missing
    with pytest.raises(EmbedderUnavailable, match="another model"):
        await lacking.embed_passages(["I forgot my password"])
    assert lacking.is_missing
    without = Knowledge(sessions, embedder, second=lacking)
    assert await without.embed_pending() == 0
    assert await without.learn_offers()
    assert (await without.tolerance.outlook()).can_be_measured
    assert await read(sessions, "reset-password") == {}
    await lacking.close()


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
    assert sorted(models, key=str) == [(embedder.model, second.model)] * 3 + [
        (embedder.model, None)
    ]
    assert await both.learn_offers()
