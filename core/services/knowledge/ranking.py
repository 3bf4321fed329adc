"""How likely each article found is to answer the question, and what follows from it.

One model for both: every candidate gets a number, "none of these" gets one too, and their
exponentials, made to add up to one, are the probabilities. Near-ties share their probability by
themselves, and three candidates together are as likely as their sum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from core.domain.knowledge import Hit, Outcome

OFFERED = 3
"""How many articles an offer holds."""

_CAUTION = 0.7
"""Share of the accepted wrong answers that is made use of.

Questions elsewhere are not those the model was fitted on. Of the small knowledge bases that
`bench/calibrate_knowledge.py` makes of the starter articles, fitted on one half and asked on the
other, nine in ten keep a promise of ten in a hundred with this.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for one candidate. Cosines are None where the question has no vector."""

    words: float  # 0 to 1, see `WordMatch`
    coverage: float
    cosine: float | None = None  # of the passage nearest to the question
    cosine_three: float | None = None  # of the three nearest, on average
    is_same_language: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients: of a candidate's features, and of those of "none of these"."""

    candidate: Mapping[str, float]
    none: Mapping[str, float]

    def probabilities(self, evidence: Sequence[Evidence], *, words: int) -> list[float]:
        """Return each candidate's probability to be the answer to a question of `words` words."""
        scores = [
            _dot(self.candidate, features)
            for features in (candidate_features(one) for one in evidence)
        ]
        none = _dot(self.none, none_features(evidence, words=words))
        highest = max([none, *scores])
        weights = [math.exp(score - highest) for score in scores]
        total = sum(weights) + math.exp(none - highest)
        return [weight / total for weight in weights]


def _dot(coefficients: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum(coefficients[name] * value for name, value in features.items())


def candidate_features(evidence: Evidence) -> dict[str, float]:
    """Return the numbers that `Model.candidate` weighs."""
    features = {
        "words": evidence.words,
        "coverage": evidence.coverage,
        "same_language": float(evidence.is_same_language),
    }
    if evidence.cosine is not None and evidence.cosine_three is not None:
        # The model's cosines live between 0.7 and 1; ten times the distance to 0.85 is at home
        # among numbers around 0 and 1.
        features["cosine"] = 10 * (evidence.cosine - 0.85)
        features["cosine_three"] = 10 * (evidence.cosine_three - 0.85)
        features["near"] = max(0.0, 10 * (evidence.cosine - 0.92))
    return features


def none_features(evidence: Sequence[Evidence], *, words: int) -> dict[str, float]:
    """Return the numbers that `Model.none` weighs."""
    others = sorted((one.words for one in evidence), reverse=True)[1:6]
    features = {
        "always": 1.0,
        "length": math.log1p(words),
        "crowd_words": sum(others) / 5,  # what many articles say points to none of them
    }
    cosines = sorted((one.cosine for one in evidence if one.cosine is not None), reverse=True)[:10]
    if cosines:
        features["crowd"] = 10 * (sum(cosines) / len(cosines) - 0.85)
    return features


@cache
def model(*, with_vectors: bool) -> Model:
    """Return the model that ships; `bench/calibrate_knowledge.py` fits it."""
    shipped: Mapping[str, Any] = json.loads(
        resources.files(__package__).joinpath("calibration.json").read_text()
    )
    chosen = shipped["hybrid" if with_vectors else "words"]
    return Model(chosen["candidate"], chosen["none"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to answer and when to offer, from how many wrong answers in a hundred are acceptable."""

    wrong_answers_per_hundred: float = 10.0
    offer_from: float = 0.5  # the offered articles together

    def outcome(self, hits: Sequence[Hit]) -> Outcome:
        """Return what `hits`, best first, are good for."""
        if not hits:
            return Outcome.HAND_OFF
        best = hits[0].score
        runner_up = hits[1].score if len(hits) > 1 else 0.0
        is_tie = runner_up > best / 2
        if best >= 1 - _CAUTION * self.wrong_answers_per_hundred / 100 and not is_tie:
            return Outcome.ANSWER
        if sum(hit.score for hit in hits[:OFFERED]) >= self.offer_from:
            return Outcome.OFFER
        return Outcome.HAND_OFF
