"""From how much on articles are offered, as a knowledge base's own questions tell.

How far apart articles are differs between bases, and with it what the probabilities of three of
them add up to where none is right: among articles on one subject, nearly always much. So each base
is asked its own titles and alternative questions, each while it is left out of the base, which
makes them questions with a known answer that nobody wrote down. What 97 in 100 of those that
should be offered reach becomes the threshold, where that is more than for bases in general.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.services.knowledge.ranking import OFFER_FROM

ALL = ""
"""Stands for all languages together, among the thresholds by language."""

_KEPT = 0.97  # of the offers that hold the answer
_DOUBT = 30  # so many questions weigh as much as the threshold for bases in general


def threshold(reached: Sequence[float]) -> float:
    """Return the threshold for a base whose own questions reached these sums with the answer.

    Few questions say little about their lowest: the fewer, the nearer to `OFFER_FROM`. It is never
    below: an article with a question left out is harder to find than it is.
    """
    if not reached:
        return OFFER_FROM
    lowest = sorted(reached)[math.floor((1 - _KEPT) * len(reached))]
    believed = len(reached) / (len(reached) + _DOUBT)
    return OFFER_FROM + believed * max(lowest - OFFER_FROM, 0.0)


def thresholds(reached: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the threshold of each language, and of `ALL`, from pairs of language and sum."""
    found = {ALL: threshold([one for _, one in reached])}
    for language in {language for language, _ in reached}:
        found[language] = threshold([one for own, one in reached if own == language])
    return found


def offer_from(known: Mapping[str, float], language: str | None) -> float:
    """Return the threshold for a question in `language`, None where that is not known.

    In a language that no article has, questions are less like the articles than the base's own
    are: for them it is that of bases in general.
    """
    return known.get(ALL if language is None else language, OFFER_FROM)
