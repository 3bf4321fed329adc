"""What the search makes of held-back questions: the starter articles, in a database of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.calibrate_knowledge import LocalEmbedder, LocalSecond, family, starter_articles
from bench.held_back import Question
from bench.keep_vectors import FILE, SECOND_FILE
from core.adapters.kept_vectors import KeptSecondVectors, KeptVectors
from core.domain.knowledge import Hit, Outcome
from core.runtime.database.postgres import embedded_postgres
from core.services.knowledge import Knowledge
from core.services.knowledge.evaluation import embed_all, fill, scratch
from core.services.knowledge.offering import offer_from
from core.services.knowledge.ranking import OFFERED, Policy
from core.storage.engine import open_engine
from core.storage.queries.knowledge.own_questions import offers_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question found, and the threshold from which the base offers."""

    question: Question
    text: str  # as it was written
    hits: Sequence[Hit]
    families: Sequence[str]  # of the hits
    offer_from: float

    def outcome(self, wrong_per_hundred: float) -> Outcome:
        """Return what follows at a tolerance."""
        policy = Policy(wrong_answers_per_hundred=wrong_per_hundred)
        return policy.outcome(self.hits, offer_from=self.offer_from)

    @property
    def is_first(self) -> bool:
        """Whether the best article answers the question."""
        return bool(self.families) and self.families[0] == self.question.family

    @property
    def is_offered(self) -> bool:
        """Whether the articles that an offer holds have the one that answers."""
        return self.question.family in self.families[:OFFERED]

    def line(self, outcome: Outcome) -> str:
        """Return what went on for people who look at what went wrong."""
        scores = " ".join(
            f"{name}={hit.score:.2f}"
            for name, hit in list(zip(self.families, self.hits, strict=True))[:OFFERED]
        )
        return f"{outcome:8} {self.question.family or '-'}: {self.text}  [{scores}]"


class Searched:
    """The starter articles, ready to be asked."""

    def __init__(
        self, knowledge: Knowledge, families: Mapping[str, str], thresholds: Mapping[str, float]
    ) -> None:
        self._knowledge, self._families, self._thresholds = knowledge, families, thresholds

    async def ask(self, question: Question, text: str) -> Found:
        """Return what `text`, a way of writing `question`, finds."""
        finding = await self._knowledge.search(text, question.language)
        return Found(
            question=question,
            text=text,
            hits=finding.hits,
            families=[self._families[hit.article] for hit in finding.hits],
            offer_from=offer_from(self._thresholds, question.language),
        )


@asynccontextmanager
async def starter_knowledge() -> AsyncIterator[Searched]:
    """Open a database with the starter articles, their vectors and their thresholds."""
    articles = starter_articles()
    with tempfile.TemporaryDirectory(prefix="evaluate-") as home:
        async with embedded_postgres(Path(home)) as url:
            engine = open_engine(url)
            async with scratch(engine) as sessions:
                embedder = KeptVectors(LocalEmbedder(), FILE)
                second = KeptSecondVectors(LocalSecond(), SECOND_FILE)
                knowledge = Knowledge(sessions, embedder, second=second)
                await fill(sessions, articles)
                await embed_all(sessions, knowledge)
                await knowledge.learn_offers()
                async with sessions() as session:
                    thresholds = await offers_from(session)
                families = {str(article.id): family(article) for article in articles}
                yield Searched(knowledge, families, thresholds)
            await engine.dispose()


def is_right(found: Found, outcome: Outcome) -> bool:
    """Say whether `outcome` serves who asked."""
    match outcome:
        case Outcome.ANSWER:
            return found.is_first
        case Outcome.OFFER:
            return found.question.family is None or found.is_offered
        case Outcome.HAND_OFF:
            return found.question.family is None


def figures(found: Sequence[Found], *, wrong_per_hundred: float) -> dict[str, float]:
    """Return counts and shares of what became of questions at a tolerance.

    Right is answered or offered rightly; where nothing answers: not answered.
    """
    outcomes = [(one, one.outcome(wrong_per_hundred)) for one in found]
    answered = [one for one, outcome in outcomes if outcome is Outcome.ANSWER]
    offered = [one for one, outcome in outcomes if outcome is Outcome.OFFER]
    answerable = sum(one.question.family is not None for one in found)
    right = sum(is_right(one, outcome) for one, outcome in outcomes)
    answered_right = sum(one.is_first for one in answered)
    wrong = len(answered) - answered_right
    offered_right = sum(one.is_offered for one in offered)
    lost_answered = sum(one.question.family is None for one in answered)
    return {
        "n": len(found),
        "right": round(right / len(found), 4),
        "answered": len(answered),
        "answered_right": answered_right,
        "answered_wrong": wrong,
        "wrong_of_answers": round(wrong / len(answered), 4) if answered else 0.0,
        "offered_right": offered_right,
        "offered_wrong": sum(one.question.family is not None for one in offered) - offered_right,
        "handed_off": sum(
            outcome is Outcome.HAND_OFF and one.question.family is not None
            for one, outcome in outcomes
        ),
        "unanswerable": len(found) - answerable,
        "unanswerable_answered": lost_answered,
        "unanswerable_offered": sum(one.question.family is None for one in offered),
    }
