"""Knows in which languages words are written: those that the assistant speaks, and others."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache

from components.spelling.known import NOT_IN_USE, words_in_use, words_of_language

OTHERS = ("de", "fr", "it", "nl", "pt")
"""Languages in Latin letters that people may write in besides; only their commoner words."""

_OTHER = 0.02  # how many write in one of these, of those who write in a language spoken here
_RARER_HERE = round(-100 * math.log10(_OTHER))
_SURELY = 0.9
_MOST_CHARS = 2_000  # of a text: its beginning tells
_WORD = re.compile(r"[a-z]+")
_TELLS, _TOLD = 2.5, 3.5  # how much a word, and all together, tell of the language (natural logs)
_MIXED = 0.03  # people mix languages
_RAREST = 1e-7  # of a word that a language does not have
_ELSEWHERE = 10.0  # times as common there as here is a word that is hardly used but elsewhere
_LONG = 8  # letters: words of two languages that are near and so long mean the same
_REMEMBERED = 8_000  # words: people use few, over and over

Told = Sequence[float]
"""How much words tell of each language, those that are spoken first: natural logarithms."""


class Languages:
    """Tells, of words, how far each language is theirs; words are folded."""

    def __init__(self, spoken: Sequence[str]) -> None:
        self._codes = tuple(spoken)
        self.uses = lru_cache(maxsize=_REMEMBERED)(self._uses)
        self.told = lru_cache(maxsize=_REMEMBERED)(self._told)

    @cached_property
    def spoken(self) -> Sequence[Mapping[str, int]]:
        """The words in use in each language that is spoken."""
        return [words_of_language(code) for code in self._codes]

    @cached_property
    def others(self) -> Sequence[Mapping[str, int]]:
        """The commoner words of each other language."""
        return [words_in_use(code) for code in OTHERS if code not in self._codes]

    def _uses(self, word: str) -> Sequence[float]:
        """Return how much of what people write is `word`, in each language, as in `Told`."""
        return tuple(_use(words, word) for words in (*self.spoken, *self.others))

    def _told(self, word: str) -> Told:
        """Return what `word` tells: at most 0 for each language that is spoken, and of the others
        how much more they have it than the one of these that has it most.
        """
        every = [math.log(use + _RAREST) for use in self.uses(word)]
        here, there = every[: len(self.spoken)], every[len(self.spoken) :]
        most = max(here, default=math.log(_RAREST))
        return [
            *(max(one - most, -_TELLS) for one in here),
            *(min(max(one - most, -_TELLS), _TELLS) for one in there),
        ]

    def shares(self, told: Told) -> list[float]:
        """Return how far each language is that of words that tell so much together."""
        here, there = told[: len(self.spoken)], told[len(self.spoken) :]
        elsewhere = _elsewhere(there)
        weights = [math.exp(max(one - max(here), -_TOLD)) for one in here]
        mixed = [_MIXED + (1 - len(here) * _MIXED) * one / sum(weights) for one in weights]
        return [*(one * (1 - sum(elsewhere)) for one in mixed), *elsewhere]

    def is_another(self, text: str) -> bool:
        """Return whether `text`, folded, is surely in a language that is not spoken."""
        words = _WORD.findall(text, 0, _MOST_CHARS)
        if not words:
            return False
        told = [sum(one) for one in zip(*map(self.told, words), strict=True)]
        return sum(_elsewhere(told[len(self.spoken) :])) > _SURELY

    def is_one_word_of_another(self, text: str) -> bool:
        """Return whether `text`, folded, is one short word that is hardly used but elsewhere.

        It may be a slip ("foire" for "fire"), but no word beside it says so.
        """
        words = _WORD.findall(text, 0, _MOST_CHARS)
        if len(words) != 1 or len(words[0]) >= _LONG:
            return False
        uses = self.uses(words[0])
        here, there = uses[: len(self.spoken)], uses[len(self.spoken) :]
        return max(there, default=0.0) > _ELSEWHERE * (max(here, default=0.0) + _RAREST)

    def rarity_elsewhere(self) -> Mapping[str, int]:
        """Return how rare words of other languages are in what people write here, as `known_words`
        does for those that are spoken."""
        rarity: dict[str, int] = {}
        for words in self.others:
            for word, rare in words.items():
                rarity[word] = min(rare + _RARER_HERE, rarity.get(word, NOT_IN_USE))
        return rarity


@cache
def languages_of(spoken: tuple[str, ...]) -> Languages:
    """Return the one `Languages` of those `spoken`: all who ask share what it remembers."""
    return Languages(spoken)


def _use(words: Mapping[str, int], word: str) -> float:
    """Return how much of what people write in a language with these words is `word`."""
    rarity = words.get(word)
    return 0.0 if rarity is None else 10.0 ** (-rarity / 100)


def _elsewhere(told: Sequence[float]) -> list[float]:
    """Return how likely each other language is, by how much more words tell of it than of ours."""
    weights = [_OTHER * math.exp(min(one, 50.0)) for one in told]
    return [one / (1 + sum(weights)) for one in weights]
