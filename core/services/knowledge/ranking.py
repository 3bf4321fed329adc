"""How likely each article found is to answer the question, and what follows from it.

With vectors, three steps: a fixed sum of word score and cosines gives each candidate its share
among the candidates, a logistic regression says how far the first one's share can be believed, and
another one, where the first is not right, how likely it is one of the two after it. By words
alone, one step: "none of these" is one more candidate, with a number of its own. Either way
near-ties share their probability, and three candidates together are as likely as their sum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

from core.domain.knowledge import Hit, Outcome

OFFERED = 3
"""How many articles an offer holds."""

OFFER_FROM = 0.38
"""How likely the offered articles are together, at least, in a base that cannot tell by itself."""

_CAUTION = 0.85
"""Share of the accepted wrong answers that is made use of.

Questions elsewhere are not those the model was fitted on.
"""

_CAUTION_BY_WORDS = 0.3
"""The same without vectors: words that occur are weaker evidence elsewhere than at home.

Nothing tells apart a question that an article answers and one about something else in the same
words, and how often those are asked differs most between knowledge bases.
"""


_IN_ANOTHER_LANGUAGE = 0.8
"""What an article is worth that the asker may not read easily, of one as likely that they do.

More than half, so that an answer, twice as likely as any other article, is never changed by it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for one candidate. Cosines are None where the question has no vector."""

    words: float  # 0 to 1, see `WordMatch`
    coverage: float
    cosine: float | None = None  # of the passage nearest to the question
    cosine_centre: float | None = None  # of the mean of title and questions
    is_same_language: bool = True
    has_questions: bool = True  # besides a title; without them words are the better evidence
    # By the second encoder, of title and questions; None where it has not read them.
    second: float | None = None  # of the nearest
    second_centre: float | None = None


class Model(Protocol):
    """Turns evidence into probabilities."""

    def probabilities(self, evidence: Sequence[Evidence], *, words: int) -> list[float]:
        """Return each candidate's probability to be the answer to a question of `words` words.

        They leave room for "none of these": their sum is at most one.
        """


@dataclass(frozen=True, slots=True)
class WordsModel:
    """Coefficients: of a candidate's features, and of those of "none of these"."""

    candidate: Mapping[str, float]
    none: Mapping[str, float]

    def probabilities(self, evidence: Sequence[Evidence], *, words: int) -> list[float]:
        """See `Model`."""
        scores = [_dot(self.candidate, candidate_features(one)) for one in evidence]
        none = _dot(self.none, none_features(evidence, words=words))
        *chances, _ = _softmax([*scores, none])
        return chances


@dataclass(frozen=True, slots=True)
class HybridModel:
    """Coefficients: of a candidate's features, of what the first one's share is worth, and the next
    two's where the first is not right.
    """

    candidate: Mapping[str, float]
    trust: Mapping[str, float]
    next: Mapping[str, float]

    def probabilities(self, evidence: Sequence[Evidence], *, words: int) -> list[float]:
        """See `Model`."""
        if not evidence:
            return []
        scores, shares = self.shares(evidence)
        order = sorted(range(len(shares)), key=lambda place: -scores[place])
        first, following = order[0], order[1:OFFERED]
        believed = _logistic(_dot(self.trust, trust_features(scores, shares, words=words)))
        among_next = _logistic(_dot(self.next, next_features(scores, shares, words=words)))
        # Each keeps its proportion to the first one, or less: nobody comes before a likelier one.
        share_of_next = sum(shares[place] for place in following)
        worth = believed / shares[first]
        worth_of_next = min(worth, (1 - believed) * among_next / max(share_of_next, 1e-9))
        left = 1 - believed - worth_of_next * share_of_next
        worth_of_rest = min(worth_of_next, left / max(1 - shares[first] - share_of_next, 1e-9))
        chances = [share * worth_of_rest for share in shares]
        chances[first] = believed
        for place in following:
            chances[place] = shares[place] * worth_of_next
        return chances

    def shares(self, evidence: Sequence[Evidence]) -> tuple[list[float], list[float]]:
        """Return each candidate's number, and its share among the candidates."""
        scores = [_dot(self.candidate, candidate_features(one)) for one in evidence]
        return scores, _softmax(scores)


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def _dot(coefficients: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum(coefficients[name] * value for name, value in features.items())


def candidate_features(evidence: Evidence) -> dict[str, float]:
    """Return the numbers that a model weighs for one candidate."""
    features = {"words": evidence.words, "same_language": float(evidence.is_same_language)}
    if evidence.cosine is None:
        features["coverage"] = evidence.coverage
        return features
    centre = evidence.cosine if evidence.cosine_centre is None else evidence.cosine_centre
    # The model's cosines live between 0.7 and 1; ten times the distance to 0.85 is at home
    # among numbers around 0 and 1.
    features["words_of_text"] = 0.0 if evidence.has_questions else evidence.words
    features["cosine"] = 10 * (evidence.cosine - 0.85)
    features["cosine_centre"] = 10 * (centre - 0.85)
    if evidence.second is not None and evidence.second_centre is not None:
        # What it sees beyond what the first leads one to expect, so that nothing speaks for or
        # against an article that it has not read. It spreads its cosines several times as wide.
        features["second"] = evidence.second - 0.35 - 5 * (evidence.cosine - 0.85)
        features["second_centre"] = evidence.second_centre - 0.4 - 5 * (centre - 0.85)
    return features


def trust_features(
    scores: Sequence[float], shares: Sequence[float], *, words: int
) -> dict[str, float]:
    """Return what tells whether the first of these candidates, in no order, is right."""
    return {
        "always": 1.0,
        "odds": _log_odds(max(shares)),
        "score": max(scores),
        "length": math.log1p(words),
    }


def next_features(
    scores: Sequence[float], shares: Sequence[float], *, words: int
) -> dict[str, float]:
    """Return what tells whether, if the first candidate is not right, the next two hold it."""
    first, *following = sorted(shares, reverse=True)
    second = sorted(scores, reverse=True)[:2][-1]  # of a single candidate its own: it has no next
    return {
        "always": 1.0,
        "odds": _log_odds(sum(following[: OFFERED - 1]) / max(1 - first, 1e-9)),
        "score": second,
        "length": math.log1p(words),
    }


def _log_odds(share: float) -> float:
    bounded = min(max(share, 0.0), 1.0)
    return math.log((bounded + 1e-4) / (1 - bounded + 1e-4))


def none_features(evidence: Sequence[Evidence], *, words: int) -> dict[str, float]:
    """Return the numbers that `WordsModel.none` weighs."""
    others = sorted((one.words for one in evidence), reverse=True)[1:6]
    return {
        "always": 1.0,
        "length": math.log1p(words),
        "crowd_words": sum(others) / 5,  # what many articles say points to none of them
    }


def worth(chance: float, evidence: Evidence) -> float:
    """Return what a candidate with this chance is placed by."""
    return chance if evidence.is_same_language else _IN_ANOTHER_LANGUAGE * chance


def strength(evidence: Evidence) -> float:
    """Return how much speaks for a candidate, to compare the versions of one article by."""
    if evidence.cosine is None:
        return evidence.words
    return _dot(_shipped()["two_views"]["candidate"], candidate_features(evidence))


def offered(hits: Sequence[Hit]) -> float:
    """Return how likely the answer is among those of `hits`, best first, that an offer holds."""
    return sum(hit.score for hit in hits[:OFFERED])


@cache
def _shipped() -> Mapping[str, Any]:
    shipped: Mapping[str, Any] = json.loads(
        resources.files(__package__).joinpath("calibration.json").read_text()
    )
    return shipped


def model(*, with_vectors: bool, with_second: bool = False) -> Model:
    """Return the model that ships; `bench/calibrate_knowledge.py` fits it."""
    if with_vectors:
        return HybridModel(**_shipped()["two_views" if with_second else "hybrid"])
    return WordsModel(**_shipped()["words"])


def fitted_on() -> str:
    """Return what tells these models from others: probabilities of others mean something else."""
    return str(_shipped()["fitted_on"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to answer and when to offer, from how many wrong answers in a hundred are acceptable."""

    wrong_answers_per_hundred: float = 10.0

    def outcome(
        self,
        hits: Sequence[Hit],
        *,
        with_vectors: bool = True,
        offer_from: float | None = None,
    ) -> Outcome:
        """Return what `hits`, best first, are good for.

        They are offered where those shown reach `offer_from` together, None: `OFFER_FROM`.
        """
        if not hits:
            return Outcome.HAND_OFF
        best = hits[0].score
        runner_up = hits[1].score if len(hits) > 1 else 0.0
        is_tie = runner_up > best / 2
        caution = _CAUTION if with_vectors else _CAUTION_BY_WORDS
        if best >= 1 - caution * self.wrong_answers_per_hundred / 100 and not is_tie:
            return Outcome.ANSWER
        if offered(hits) >= (OFFER_FROM if offer_from is None else offer_from):
            return Outcome.OFFER
        return Outcome.HAND_OFF
