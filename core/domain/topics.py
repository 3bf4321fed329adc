"""What topics are, how fast they grow, and by which words they are told apart."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

WEEK = timedelta(days=7)
WEEKS_BEFORE = 4
"""What this week is compared with: the average of so many weeks before it."""

KEPT = timedelta(weeks=12)
"""How long a question or a ticket belongs to its topic."""

_WORD = re.compile(r"[^\W\d_][^\W_]+(?:-[^\W_]+)*")
_MOST_WORDS = 4
_LEAST_CHARS = 3


class TopicKind(StrEnum):
    """What a topic is made of; topics of different kinds are never the same."""

    QUESTION = "question"  # that the assistant missed
    TICKET = "ticket"


class TopicState(StrEnum):
    """What became of a topic."""

    OPEN = "open"
    DONE = "done"  # it led to something: an article, an example, a problem
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How often something came up in the last seven days, and in the weeks before."""

    this_week: int
    before: int  # in the `WEEKS_BEFORE` weeks before the last seven days

    @property
    def usual(self) -> float:
        """The average of a week before."""
        return self.before / WEEKS_BEFORE

    @property
    def growth(self) -> float:
        """How many more than in a usual week; below zero where it becomes rarer."""
        return self.this_week - self.usual


def words_in(text: str) -> list[str]:
    """Return the words of `text`, each once, in order, as they are compared: folded."""
    folded = unicodedata.normalize("NFC", text).casefold()
    found = (word for word in _WORD.findall(folded) if len(word) >= _LEAST_CHARS)
    return list(dict.fromkeys(found))


def distinctive_words(
    texts: Iterable[str], elsewhere: Counter[str], total: int, common: Collection[str]
) -> list[str]:
    """Return the words that tell the topic of `texts` from others, the most telling first.

    `elsewhere` says in how many of all `total` texts, these included, each word is; words of
    `common` tell nothing. A word counts the more, the more of the topic's texts have it and the
    fewer others do (tf-idf over texts).
    """
    texts = list(texts)
    inside = Counter(word for text in texts for word in words_in(text) if word not in common)
    least = 2 if len(texts) > 2 else 1
    weights = {
        word: count / len(texts) * math.log((1 + total) / (1 + elsewhere[word]) + 1)
        for word, count in inside.items()
        if count >= least
    }
    best = sorted(weights, key=lambda word: (-weights[word], word))
    return best[:_MOST_WORDS]


def product(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the inner product of two vectors."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
