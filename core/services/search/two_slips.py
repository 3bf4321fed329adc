"""Which words a long word that nobody has used may stand for, two slips away.

Forms with two letters left out, as those with one are kept for words one slip away, would take
4 kB a word. Here all words that begin with the same letter and are about as long are compared: a
first letter is seldom wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

FEWEST_LETTERS = 8
"""Of shorter words too many are two slips apart."""

SLIPS = 2


def meant_twice_slipped(typed: str, known: Mapping[str, int], most: int) -> list[str]:
    """Return the nearest of `known` words, those used most often first; none beyond two slips.

    A letter left out, added, another one, and two exchanged are a slip each. RapidFuzz is imported
    by the first who needs it: it is 8 MB.
    """
    from rapidfuzz.distance import OSA

    apart = {
        word: slips
        for word in known
        if (slips := OSA.distance(typed, word, score_cutoff=SLIPS)) <= SLIPS
    }
    least = min(apart.values(), default=SLIPS)
    nearest = [word for word, slips in apart.items() if slips == least]
    return sorted(nearest, key=lambda word: (-known[word], word))[:most]
