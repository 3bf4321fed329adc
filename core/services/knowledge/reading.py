"""How a question is read: its words for sure, what others probably mean, and how to embed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.knowledge import Synonyms
from core.services.knowledge.spelling import corrected
from core.services.knowledge.synonyms import expanded, met_in
from core.storage.queries.knowledge.knowledge import Guess

_TRUST_IN_SPELLING = 0.8
_TRUST_IN_SYNONYMS = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A question as the search takes it."""

    sure: str  # folded: the words that are meant as they stand
    guesses: tuple[Guess, ...]
    as_meant: str | None  # to be embedded beside the question itself; None where it is the same
    words: int


def read(asked: str, spelt: Mapping[str, str], synonyms: Sequence[Synonyms]) -> Reading:
    """Return the reading of `asked`, folded; `spelt` is what mistyped words stand for."""
    met = met_in(asked, synonyms)
    guesses = [
        Guess(slot=slot, words=words, trust=trust)
        for slot, term in enumerate(met)
        for words, trust in (
            (asked[term.start : term.end], 1.0),
            *((other, _TRUST_IN_SYNONYMS) for other in term.others),
        )
    ]
    rest, last = "", 0
    for term in met:
        rest += asked[last : term.start] + " "
        last = term.end
    rest += asked[last:]
    outside = {typed: word for typed, word in spelt.items() if corrected(rest, {typed: ""}) != rest}
    guesses += [
        Guess(slot=slot, words=word, trust=_TRUST_IN_SPELLING)
        for slot, word in enumerate(outside.values(), start=len(met))
    ]
    as_meant = corrected(expanded(asked, met), outside)
    return Reading(
        sure=corrected(rest, dict.fromkeys(outside, "")),
        guesses=tuple(guesses),
        as_meant=as_meant if guesses else None,
        words=len(asked.split()),
    )
