"""How people mistype words, and which word they meant: one slip in a word of four letters or more.

A word and every word that is one slip away share a form that lacks at most one letter (after W.
Garbe's symmetric deletes), so the words near another are found by looking up equal forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LEAST_LETTERS = 4
MOST_LETTERS = 30
_WORD = re.compile(r"[^\W\d_]+")

_KEYBOARD = ("qwertyuiop", "asdfghjklñ", "zxcvbnm")
_SOUND_ALIKE = ("bv", "csz", "gj", "iy", "kqc", "mn", "sx", "wv", "ll")
_TWICE, _EXCHANGED, _NEIGHBOUR, _LEFT_OUT, _ADDED, _OTHER = 0.5, 0.6, 0.7, 0.7, 0.8, 1.0
_FIRST_LETTER = 0.4  # seldom wrong
_MOST_BY_LENGTH = ((4, 0.6), (5, 0.8), (6, 1.2))
"""What a slip may cost at most in a word of so many letters: short words lie close together."""


def words_of(text: str) -> list[str]:
    """Return the different words of `text`, folded already, whose spelling can be judged."""
    found = (word for word in _WORD.findall(text) if LEAST_LETTERS <= len(word) <= MOST_LETTERS)
    return list(dict.fromkeys(found))


def forms(word: str) -> set[str]:
    """Return `word` and what it is with one letter left out."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def slip(typed: str, meant: str) -> float | None:
    """Return how unlikely it is to have typed `typed` for `meant`; None beyond one slip."""
    if typed == meant or abs(len(typed) - len(meant)) > 1:
        return None
    start = _common(typed, meant)
    end = min(_common(typed[::-1], meant[::-1]), min(len(typed), len(meant)) - start)
    less, more = typed[start : len(typed) - end], meant[start : len(meant) - end]
    first = _FIRST_LETTER if start == 0 else 0.0
    if len(typed) != len(meant):
        extra, longer = (less, typed) if len(typed) > len(meant) else (more, meant)
        if len(extra) != 1 or (less and more):
            return None
        is_double = longer[start - 1 : start] == extra or longer[start + 1 : start + 2] == extra
        usual = _LEFT_OUT if longer is meant else _ADDED
        return (_TWICE if is_double else usual) + first
    if len(less) == 2 and less == more[::-1]:
        return _EXCHANGED + first
    if len(less) == 1:
        return (_NEIGHBOUR if _are_close(less, more) else _OTHER) + first
    return None


def meant(typed: str, near: Iterable[str]) -> str | None:
    """Return the word of `near` that `typed` most likely is; None where none is likely enough."""
    most = max(cost for letters, cost in _MOST_BY_LENGTH if letters <= len(typed))
    judged = [(cost, word) for word in near if (cost := slip(typed, word)) is not None]
    cost, word = min(judged, default=(most + 1, ""))
    return word if cost <= most else None


def corrected(text: str, meant_by: Mapping[str, str]) -> str:
    """Return `text`, folded, with the words of `meant_by` replaced."""
    return _WORD.sub(lambda found: meant_by.get(found[0], found[0]), text)


def _common(one: str, other: str) -> int:
    """Return the number of equal letters at the beginning."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _are_close(one: str, other: str) -> bool:
    """Whether two letters lie side by side on the keyboard, or sound alike."""
    if any(one in group and other in group for group in _SOUND_ALIKE):
        return True
    places = {
        letter: (row, column + row / 3)
        for row, letters in enumerate(_KEYBOARD)
        for column, letter in enumerate(letters)
        if letter in {one, other}
    }
    if len(places) < 2:
        return False
    (row, column), (other_row, other_column) = places.values()
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1.1
