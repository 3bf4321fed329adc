"""Asks a knowledge base its own questions, each while it is left out of the base."""

from __future__ import annotations

import asyncio

from core.domain.errors import EmbedderUnavailable
from core.services.knowledge.indexing import fields_of
from core.services.knowledge.offering import thresholds
from core.services.knowledge.ranking import OFFERED, offered
from core.services.knowledge.search import Search, ranked
from core.storage.engine import Sessions, storage_errors
from core.storage.queries import own_questions as queries
from core.storage.queries.knowledge import index_words
from core.storage.queries.own_questions import OwnQuestion

_MOST_ASKED = 300


async def learn(
    sessions: Sessions, search: Search, model: str, *, pause_seconds: float = 0.0
) -> bool:
    """Keep the thresholds that the base's own questions tell; False if they are those kept.

    While passages wait for their vectors nothing is learned.

    Raises:
        EmbedderUnavailable: nothing was changed.
    """
    async with storage_errors(), sessions() as session:
        state = await queries.state_of_index(session, model)
        if state is None or state == await queries.state_learned(session):
            return False
        questions = await queries.sample(session, _MOST_ASKED)
    reached = []
    for question in questions:
        sum_of_offer = await _asked_without(sessions, search, question)
        if sum_of_offer is not None:
            reached.append((question.language, sum_of_offer))
        await asyncio.sleep(pause_seconds)
    async with storage_errors(), sessions.begin() as session:
        await queries.keep(session, thresholds(reached), state)
    return True


async def _asked_without(sessions: Sessions, search: Search, question: OwnQuestion) -> float | None:
    """Return what an offer's articles reach together for `question`; None where none is right.

    The transaction that takes the question out of the base is rolled back.
    """
    asked = await search.ask(question.text, question.language)
    if asked is None:
        return None
    if asked.vector is None:
        raise EmbedderUnavailable("the base cannot be asked its own questions without vectors")
    async with storage_errors(), sessions() as session:
        less = await queries.leave_out(session, question)
        if less is None:
            return None
        await index_words(session, less.id, less.language, fields_of(less))
        found = await search.look_up(session, asked)
        await session.rollback()
    family = less.translation_of or less.id
    right = {
        candidate.article
        for candidate, _ in found.candidates
        if (candidate.translation_of or candidate.article) == family
    }
    hits = ranked(found)
    return offered(hits) if any(hit.article in right for hit in hits[:OFFERED]) else None
