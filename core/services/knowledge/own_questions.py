"""Asks a knowledge base its own questions, each while it is left out of the base."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import EmbedderUnavailable
from core.domain.ids import ArticleId
from core.domain.knowledge import Hit
from core.services.knowledge.indexing import fields_of
from core.services.knowledge.offering import thresholds
from core.services.knowledge.ranking import OFFERED, fitted_on
from core.services.knowledge.search import Asked, Search, ranked
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge import own_questions as queries
from core.storage.queries.knowledge.knowledge import index_words
from core.storage.queries.knowledge.own_questions import OwnFound, OwnQuestion

_MOST_ASKED = 300


@dataclass(frozen=True, slots=True)
class Models:
    """The names of the encoders that read passages."""

    first: str
    second: str | None = None
    languages: frozenset[str] = frozenset()  # those that the second one reads


async def learn(
    sessions: Sessions,
    search: Search,
    models: Models,
    *,
    pause_seconds: float = 0.0,
    retry_seconds: Sequence[float] = (),
) -> bool:
    """Keep what the base's own questions find, and tell of thresholds; False if that is kept.

    While passages wait for their vectors nothing is learned.

    Raises:
        EmbedderUnavailable: nothing was changed.
    """
    async with storage_errors(), sessions() as session:
        state = await state_of(session, models)
        if state is None or state == await queries.state_learned(session):
            return False
        questions = await queries.sample(session, _MOST_ASKED)
    found: list[OwnFound] = []
    for question in questions:
        found += await _asked_without(sessions, search, question, retry_seconds)
        await asyncio.sleep(pause_seconds)
    reached = [
        (one.language, sum(one.scores))
        for one in found
        if one.right_at is not None and not one.is_lost
    ]
    async with storage_errors(), sessions.begin() as session:
        await queries.keep(session, thresholds(reached), found, state)
    return True


async def state_of(session: AsyncSession, models: Models) -> str | None:
    """Return what changes with what the base would learn; None while passages have no vector."""
    index = await queries.state_of_index(session, models.first, models.second, models.languages)
    return None if index is None else f"{index} {fitted_on()}"


async def _asked(
    search: Search, question: OwnQuestion, retry_seconds: Sequence[float]
) -> Asked | None:
    """Return `question` with its vectors; what comes too late on a busy machine is asked for anew.

    Raises:
        EmbedderUnavailable: it did not come this time nor after any of the pauses.
    """
    for pause in (*retry_seconds, None):
        asked = await search.ask(question.text, question.language)
        if asked is None or asked.is_whole:
            return asked
        if pause is not None:
            await asyncio.sleep(pause)
    raise EmbedderUnavailable("the base cannot be asked its own questions without vectors")


async def _asked_without(
    sessions: Sessions, search: Search, question: OwnQuestion, retry_seconds: Sequence[float]
) -> list[OwnFound]:
    """Return what is found for `question`, with its article and while nothing answers it.

    The transaction that takes the question out of the base is rolled back.
    """
    asked = await _asked(search, question, retry_seconds)
    if asked is None:
        return []
    async with storage_errors(), sessions() as session:
        less = await queries.leave_out(session, question)
        if less is None:
            return []
        await index_words(session, less.id, less.language, fields_of(less))
        family = await queries.family(session, less)
        found = await search.look_up(session, asked)
        without = await search.look_up(session, asked, exclude=family)
        await session.rollback()
    return [
        _told(question, ranked(found), frozenset(family)),
        replace(_told(question, ranked(without), frozenset()), is_lost=True),
    ]


def _told(question: OwnQuestion, hits: Sequence[Hit], right: frozenset[ArticleId]) -> OwnFound:
    offer = hits[:OFFERED]
    return OwnFound(
        language=question.language,
        scores=tuple(hit.score for hit in offer),
        right_at=next((place for place, hit in enumerate(offer) if hit.article in right), None),
    )
