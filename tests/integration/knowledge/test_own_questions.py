"""A base learns from its own questions when to offer, and is as before afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from core.adapters.embeddings import HttpEmbedder
from core.domain.errors import EmbedderUnavailable
from core.runtime.embedder import MODEL
from core.services.knowledge import Knowledge
from core.services.knowledge.offering import ALL
from core.storage.engine import Sessions
from core.storage.queries.knowledge.own_questions import findings, offers_from, sample
from tests.integration.knowledge.world import ARTICLES, article


async def index(sessions: Sessions) -> list[tuple[object, ...]]:
    async with sessions() as session:
        passages = await session.execute(text("SELECT id, text, vector_model FROM passage"))
        postings = await session.execute(text("SELECT article_id, lexeme, weight FROM posting"))
        return sorted((*map(tuple, passages), *map(tuple, postings)), key=repr)


async def known(sessions: Sessions) -> dict[str, float]:
    async with sessions() as session:
        return dict(await offers_from(session))


async def test_asking_its_own_questions_leaves_the_base_as_it_was(
    knowledge: Knowledge, sessions: Sessions
) -> None:
    before = await index(sessions)
    assert await knowledge.learn_offers()
    assert await index(sessions) == before
    assert {ALL, "en"} <= set(await known(sessions))


async def test_it_is_learned_anew_only_after_a_change_of_articles(knowledge: Knowledge) -> None:
    assert await knowledge.learn_offers()
    assert not await knowledge.learn_offers()
    await knowledge.create(article("badge", "Get a badge", questions=("where do I get a badge",)))
    assert not await knowledge.learn_offers(), "its passages have no vectors yet"
    await knowledge.embed_pending()
    assert await knowledge.learn_offers()
    await knowledge.delete(ARTICLES[-2].id)
    assert await knowledge.learn_offers()


async def test_articles_for_some_and_articles_without_questions_are_not_asked(
    knowledge: Knowledge, sessions: Sessions
) -> None:
    await knowledge.create(article("menu", "The menu of the canteen", "Soup."))
    async with sessions() as session:
        asked = {question.article for question in await sample(session, 100)}
    assert asked == {
        "reset-password",
        "restablecer-contrasena",
        "connect-vpn",
        "book-room",
        "printer-jam",
    }


async def test_what_a_base_learned_decides_what_is_offered(
    knowledge: Knowledge, embedder: HttpEmbedder, sessions: Sessions
) -> None:
    unsure = "is there a room with a printer"
    finding = await knowledge.search(unsure, "en")
    assert finding.outcome == "offer"
    total = sum(hit.score for hit in finding.hits[:3])
    await knowledge.learn_offers()
    for threshold, outcome in ((total + 0.001, "hand_off"), (total - 0.001, "offer")):
        async with sessions.begin() as session:
            await session.execute(
                text("UPDATE offer_threshold SET offer_from = :threshold"), {"threshold": threshold}
            )
        asked_anew = Knowledge(sessions, embedder)
        assert (await asked_anew.search(unsure, "en")).outcome == outcome


async def test_without_an_embedder_nothing_is_learned(wordy: Knowledge) -> None:
    assert not await wordy.learn_offers()


class Busy(HttpEmbedder):
    """Answers, but every other question too late."""

    asked = 0

    async def embed_query(self, text: str) -> Sequence[float]:
        self.asked += 1
        if self.asked % 2:
            raise EmbedderUnavailable("the embedder did not answer in time")
        return await super().embed_query(text)


async def test_a_question_whose_vector_comes_too_late_is_asked_again(
    knowledge: Knowledge, embedder_url: str, sessions: Sessions
) -> None:
    busy = Busy(embedder_url, MODEL, query_seconds=30.0)
    hurried = Knowledge(sessions, busy)
    with pytest.raises(EmbedderUnavailable):
        await hurried.learn_offers()
    assert await known(sessions) == {}
    assert await hurried.learn_offers(retry_seconds=(0.0,))
    assert {ALL, "en"} <= set(await known(sessions))
    await busy.close()


async def test_what_its_questions_find_is_kept_with_their_article_and_without(
    knowledge: Knowledge, sessions: Sessions
) -> None:
    await knowledge.learn_offers()
    async with sessions() as session:
        found = await findings(session)
        asked = await sample(session, 100)
    there = [one for one in found if not one.is_lost]
    assert len(there) == len(asked) == len(found) / 2
    assert sum(one.right_at == 0 for one in there) > len(there) / 2
    assert all(one.right_at is None for one in found if one.is_lost)
    assert all(list(one.scores) == sorted(one.scores, reverse=True) for one in found)
