"""Knows which of a few words a misspelt one is meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from components.spelling.known import NOT_IN_USE, RAREST
from components.spelling.slips import is_slip, meant_by

_FEWEST_LETTERS = 4
_LETTERS_OF_ONE = (
    5  # of a word or of what it is a slip of: a slip makes a word of most shorter ones
)
_MOST_LETTERS = 24
_RARER = 250  # a word this much rarer than one it is near is a slip that many make
# A part of an address or of a path is no word.
_WORD = re.compile(rf"(?<![\w'@/\\.])[a-z]{{{_FEWEST_LETTERS},{_MOST_LETTERS}}}(?![\w'@/\\]|\.\w)")


class Vocabulary:
    """Words that misspelt ones are compared with.

    A slip is one letter wrong, missing or too many, or two exchanged. Two words that differ by a
    slip become the same when at most one letter of each is left out, so all that may be near is
    found without a comparison with every word.
    """

    def __init__(self, words: Iterable[str], known: Mapping[str, int], *, margin: int) -> None:
        """A word that may be meant for one commoner by more than `margin` is left as it is."""
        self._known = known
        self._margin = margin
        self._words = {
            word: known.get(word, RAREST) for word in words if len(word) >= _FEWEST_LETTERS
        }
        self._by_form: dict[str, list[str]] = {}
        for word in self._words:
            for form in _forms(word):
                self._by_form.setdefault(form, []).append(word)

    def mended(self, text: str) -> str:
        """Return folded `text` with each misspelt word replaced by the commonest it may mean."""
        meant = {word: self._meant(word) for word in set(_WORD.findall(text))}
        return _WORD.sub(lambda found: meant[found[0]], text)

    def _meant(self, word: str) -> str:
        rarity = self._known.get(word, NOT_IN_USE)
        if word in self._words or rarity < _RARER:
            return word
        near = {
            (self._words[one], one)
            for form in _forms(word)
            for one in self._by_form.get(form, ())
            if max(len(word), len(one)) >= _LETTERS_OF_ONE and is_slip(word, one)
        }
        if not near:
            return word
        commonness, meant = min(near)
        if commonness + _RARER > rarity or self._is_rather_another(word, commonness):
            return word
        return meant

    def _is_rather_another(self, word: str, rarity: int) -> bool:
        """Return whether `word` may be a slip of one much commoner than what has `rarity`."""
        return any(
            self._known.get(one, NOT_IN_USE) + self._margin < rarity and is_slip(word, one)
            for one in meant_by(word)
        )


def _forms(word: str) -> list[str]:
    """Return `word` and what it is with one letter left out."""
    return [word, *(word[:at] + word[at + 1 :] for at in range(len(word)))]
