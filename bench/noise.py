"""Knows how people misspell: the same mistakes for the same text, in every run."""

from __future__ import annotations

import random
import unicodedata

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o",
    "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
    "y": "tu", "z": "x",
}  # fmt: skip
_WORDS_PER_MISTAKE = 5
_LEAST_LETTERS = 4  # of a word that gets a mistake: shorter ones become other words


def without_accents(text: str) -> str:
    """Return `text` as it is typed in haste: no accents, no capitals, no signs at the ends."""
    decomposed = unicodedata.normalize("NFD", text)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return bare.lower().strip("¿?¡!. ")


def misspelt(text: str) -> str:
    """Return `text` with a mistake in about one word of five, and in one at least."""
    dice = random.Random(text)
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) >= _LEAST_LETTERS and word.isalpha()]
    for place in dice.sample(places, min(len(places), max(1, len(words) // _WORDS_PER_MISTAKE))):
        words[place] = _mistyped(words[place], dice)
    return " ".join(words)


def _mistyped(word: str, dice: random.Random) -> str:
    at = dice.randrange(1, len(word) - 1)  # first and last letters are seldom wrong
    match dice.choice(["left out", "twice", "exchanged", "neighbour"]):
        case "left out":
            return word[:at] + word[at + 1 :]
        case "twice":
            return word[: at + 1] + word[at:]
        case "exchanged":
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            near = _NEIGHBOURS.get(word[at].lower(), word[at])
            return word[:at] + dice.choice(near) + word[at + 1 :]
