"""What admins do about how many answers may be wrong, and what it would mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.domain.actor import Agent
from core.domain.errors import Outdated
from core.domain.ids import ArticleId
from core.domain.knowledge import Hit, Outcome
from core.domain.tolerance import LEAST_QUESTIONS, Outlook, Prospect, Tolerance, check
from core.services import audit
from core.services.knowledge.offering import ALL, offer_from
from core.services.knowledge.own_questions import Models, state_of
from core.services.knowledge.ranking import Policy
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge import own_questions, tolerance
from core.storage.queries.knowledge.own_questions import OwnFound

LOOKED_AT = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Tolerances of which it is told what they would mean."""

SUBJECT = ("assistant", "tolerance")
"""What the audit log calls it."""

_LOST: Mapping[Outcome, str] = {
    Outcome.ANSWER: "lost_answered",
    Outcome.OFFER: "lost_offered",
    Outcome.HAND_OFF: "lost_handed_off",
}


class AnswerTolerance:
    """How many of a hundred answers may be wrong; searches know a change within two seconds."""

    def __init__(
        self, sessions: Sessions, *, installed: float, models: Callable[[], Models | None]
    ) -> None:
        """`models` says which make sentence vectors: None without an embedder."""
        self._sessions, self._installed, self._models = sessions, installed, models

    async def get(self) -> Tolerance:
        """Return what counts."""
        async with storage_errors(), self._sessions() as session:
            set_to, revision = await tolerance.tolerance_set(session)
        return Tolerance(set_to=set_to, installed=self._installed, revision=revision)

    async def counting(self) -> float:
        """Return the number that counts, also where the database was never migrated."""
        async with storage_errors(), self._sessions() as session:
            if not await tolerance.is_known(session):
                return self._installed
        return (await self.get()).wrong_per_hundred

    async def set(self, wrong: float | None, by: Agent, *, revision: int | None = None) -> None:
        """Let `wrong` answers in a hundred be accepted; None: as many as installed.

        Raises:
            InvalidInput: that is no number of them.
            Outdated: what counts is not at `revision` any more.
        """
        if wrong is not None:
            check(wrong)
        async with storage_errors(), self._sessions.begin() as session:
            row = await tolerance.locked(session)
            if revision is not None and row.revision != revision:
                raise Outdated
            if row.wrong_per_hundred == wrong:
                return
            old = row.wrong_per_hundred
            row.wrong_per_hundred, row.revision = wrong, row.revision + 1
            audit.record(
                session,
                by.actor,
                "assistant.tolerance_changed",
                (*SUBJECT, "Assistant"),
                old={"wrong_per_hundred": old},
                new={"wrong_per_hundred": wrong},
            )

    async def outlook(self) -> Outlook:
        """Return what tolerances would mean for the base's own questions."""
        counts = (await self.get()).wrong_per_hundred
        models = self._models()
        async with storage_errors(), self._sessions() as session:
            found = await own_questions.findings(session)
            thresholds = await own_questions.offers_from(session)
            learned = await own_questions.state_learned(session)
            state = await state_of(session, models or Models(""))
        return Outlook(
            by_language=outlooks(found, thresholds, tolerances=sorted({*LOOKED_AT, counts})),
            questions=sum(not one.is_lost for one in found),
            is_current=state is not None and state == learned,
            can_be_measured=models is not None,
        )


def outlooks(
    found: Sequence[OwnFound], thresholds: Mapping[str, float], *, tolerances: Sequence[float]
) -> dict[str, tuple[Prospect, ...]]:
    """Return what `tolerances` mean, for all questions and for each language that has enough."""
    by_language = {ALL: found}
    languages = sorted({one.language for one in found})
    if len(languages) > 1:
        by_language |= {
            language: [one for one in found if one.language == language] for language in languages
        }
    return {
        language: tuple(_prospect(ones, thresholds, wrong) for wrong in tolerances)
        for language, ones in by_language.items()
        if sum(not one.is_lost for one in ones) >= LEAST_QUESTIONS
    }


def _prospect(found: Sequence[OwnFound], thresholds: Mapping[str, float], wrong: float) -> Prospect:
    policy = Policy(wrong_answers_per_hundred=wrong)
    counts: dict[str, int] = {}
    for one in found:
        hits = [Hit(article=ArticleId(""), title="", score=score) for score in one.scores]
        outcome = policy.outcome(hits, offer_from=offer_from(thresholds, one.language))
        name = _name(outcome, one)
        counts[name] = counts.get(name, 0) + 1
    return Prospect(wrong_per_hundred=wrong, **counts)


def _name(outcome: Outcome, found: OwnFound) -> str:
    """Return the count of a `Prospect` that a question adds to."""
    if found.is_lost:
        return _LOST[outcome]
    match outcome:
        case Outcome.ANSWER:
            return "answered_right" if found.right_at == 0 else "answered_wrong"
        case Outcome.OFFER:
            return "offered_wrong" if found.right_at is None else "offered_right"
        case Outcome.HAND_OFF:
            return "handed_off"
