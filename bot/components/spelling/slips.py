"""Knows what slips of the pen make of a word, and how likely each is."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase
from types import MappingProxyType

# On a keyboard; the letters of a slip are mostly next to the ones that were meant.
_NEIGHBOURS: Mapping[str, str] = MappingProxyType(
    {
        "a": "qwsz", "b": "vghn", "c": "xdfv", "d": "serfcx", "e": "wsdr", "f": "drtgvc",
        "g": "ftyhbv", "h": "gyujnb", "i": "ujko", "j": "huikmn", "k": "jiolm", "l": "kop",
        "m": "njk", "n": "bhjm", "o": "iklp", "p": "ol", "q": "wa", "r": "edft", "s": "awedxz",
        "t": "rfgy", "u": "yhji", "v": "cfgb", "w": "qase", "x": "zsdc", "y": "tghu", "z": "asx",
    }
)  # fmt: skip

# How much less likely a slip is than the likeliest, two letters exchanged, in powers of ten.
LIKELIEST = 0.0
_NEIGHBOUR = 0.5
_ANY_LETTER = 1.2
_LEFT_OUT = 0.3
_TOO_MANY = 0.7
_TWICE = 0.2  # the same letter once more
_FIRST = 0.8  # people hardly ever get the first letter wrong
_LAST = 0.7  # another last letter is rather another form of the word
TWO_SLIPS = 4.5


def is_slip(word: str, meant: str) -> bool:
    """Return whether `word` is `meant`, another word, but for one slip.

    That is Damerau-Levenshtein distance 1, except that people hardly ever get the first letter
    wrong or put one before it.
    """
    shorter = min(len(word), len(meant))
    first = next((at for at in range(shorter) if word[at] != meant[at]), shorter)
    written, right = word[first:], meant[first:]
    return (
        (first > 0 and written[1:] in (right, right[1:]))
        or written == right[1:]
        or (written[:2] == right[1::-1] and written[2:] == right[2:])
    )


def meant_by(word: str) -> dict[str, float]:
    """Return all that `word` may be one slip from, of letters from a to z, real words or not.

    Each comes with how unlikely that slip is, in powers of ten: 0 for the likeliest.
    """
    found: dict[str, float] = {}

    def add(meant: str, cost: float) -> None:
        if meant != word and cost < found.get(meant, 99.0):
            found[meant] = cost

    last = len(word) - 1
    for at, letter in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        at_an_end = _FIRST if at == 0 else _LAST if at == last else 0.0
        if at > 0 and word[at - 1] == letter:
            add(before + after, _TWICE)
        add(before + after, _TOO_MANY + at_an_end)
        if at < last:
            add(before + word[at + 1] + letter + word[at + 2 :], _FIRST if at == 0 else 0.0)
        near = _NEIGHBOURS.get(letter, "")
        for other in ascii_lowercase:
            add(before + other + after, at_an_end + (_NEIGHBOUR if other in near else _ANY_LETTER))
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        at_an_end = _FIRST if at == 0 else _LAST if at > last else 0.0
        for other in ascii_lowercase:
            doubles = other in (before[-1:], after[:1])
            add(before + other + after, (_TWICE if doubles else _LEFT_OUT) + at_an_end)
    return found


def distance(word: str, other: str, most: int) -> int:
    """Return how many slips are between two words (optimal string alignment), or `most` + 1.

    Most words are too far by their lengths or their letters alone. Of the table of the others only
    the diagonals are filled that `most` slips can reach.
    """
    far = most + 1
    if abs(len(word) - len(other)) > most or len(set(word) ^ set(other)) > 2 * most:
        return far
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, start=1):
        line = [row, *[far] * len(other)]
        for column in range(max(1, row - most), min(len(other), row + most) + 1):
            against = other[column - 1]
            fewest = min(
                last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != against)
            )
            is_exchange = row > 1 < column and word[row - 2] == against != letter
            if is_exchange and letter == other[column - 2]:
                fewest = min(fewest, before[column - 2] + 1)
            line[column] = fewest
        if min(line) > most:
            return far
        before, last = last, line
    return min(last[-1], far)
