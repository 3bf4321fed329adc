"""Answers in a language model's words: from what passages, and whether they may be said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.assistant import Answer, SetLanguage, TurnReply, TurnRequest
from core.domain.errors import ComposerUnavailable
from core.domain.grounding import Passage, cited, faults
from core.domain.ids import ArticleId, ConversationId
from core.domain.knowledge import Article
from core.ports import Composer
from core.services.knowledge import Knowledge
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge.knowledge import Reader, visible
from core.storage.queries.knowledge.readers import organisation_of

_LOGGER = logging.getLogger(__name__)
_MOST_PASSAGES = 3
_MOST_PASSAGE_CHARS = 6000
_MOST_QUESTION_CHARS = 1000
_LEAST_CHANCE = 0.2  # of an article beside the answering one


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An answer in a language model's words, found to say only what `sources` say."""

    answers: ArticleId  # the article in whose place it stands
    text: str  # names its sources by number: [1] is the first
    sources: tuple[ArticleId, ...]


class Composing:
    """Has the answering article put into words that fit the question, where that can be trusted.

    The language model is shown the requester's words and articles that this requester may read,
    and nothing else.
    """

    def __init__(self, sessions: Sessions, knowledge: Knowledge, composer: Composer) -> None:
        self._sessions, self._knowledge, self._composer = sessions, knowledge, composer

    async def composed(
        self, conversation: ConversationId, request: TurnRequest, reply: TurnReply
    ) -> Composed | None:
        """Return the answer of `reply` in words of its own; None where the article itself is best.

        That is: where the reply is not an answer to a question in words, the article is in another
        language, the model is away or has no answer, or says what is not in the articles.
        """
        answer = _only_answer(reply)
        if answer is None or request.intent is not None or not request.text.strip():
            return None
        passages = await self._passages(conversation, request, answer.article)
        if not passages:
            return None
        try:
            text = await self._composer.compose(
                request.text[:_MOST_QUESTION_CHARS], language=request.language, passages=passages
            )
        except ComposerUnavailable as error:
            _LOGGER.warning("turn %s: %s; the article is shown as it is", request.turn, error)
            return None
        if text is None:
            return None
        if wrong := faults(text, passages):
            _LOGGER.info(
                "turn %s: the composed answer is not shown: %d faults, first %s",
                request.turn,
                len(wrong),
                wrong[0],
            )
            return None
        return _numbered(answer.article, text, passages)

    async def _passages(
        self, conversation: ConversationId, request: TurnRequest, answering: ArticleId
    ) -> list[Passage]:
        async with storage_errors(), self._sessions() as session:
            organisation = await organisation_of(session, conversation)
        found = await self._knowledge.search(
            request.text, request.language, limit=_MOST_PASSAGES, organisation=organisation
        )
        ids = [answering] + [
            hit.article
            for hit in found.hits
            if hit.article != answering and hit.score >= _LEAST_CHANCE
        ]
        async with storage_errors(), self._sessions() as session:
            readable = await visible(session, set(ids), reader=Reader(organisation=organisation))
        articles = await self._knowledge.get_many([id_ for id_ in ids if id_ in readable])
        if answering not in articles or articles[answering].language != request.language:
            return []
        return [
            _passage(articles[id_])
            for id_ in ids[:_MOST_PASSAGES]
            if id_ in articles and articles[id_].language == request.language
        ]


def _only_answer(reply: TurnReply) -> Answer | None:
    """Return the answer of a reply that says nothing else."""
    said = [step for step in reply.steps if not isinstance(step, SetLanguage)]
    return said[0] if len(said) == 1 and isinstance(said[0], Answer) else None


def _passage(article: Article) -> Passage:
    return Passage(article=article.id, title=article.title, text=article.body[:_MOST_PASSAGE_CHARS])


def _numbered(answering: ArticleId, text: str, passages: Sequence[Passage]) -> Composed:
    """Keep all passages up to the last that is named, so that the numbers stay true."""
    last = max(cited(text))
    return Composed(
        answers=answering,
        text=text,
        sources=tuple(passage.article for passage in passages[:last]),
    )
