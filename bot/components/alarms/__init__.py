"""Knows the wordings that must never be missed, in each language, and what only looks like one.

A missed emergency or a missed request for a human costs more than a needless hand-off, so these
patterns overrule the classifier. Questions *about* a danger ("what to do in case of fire") and
negations ("I do not want to talk to a person") are left to it.

A text with slips of the pen is read once more with them mended: in haste and in need people
misspell. Where the pipeline has mended it by all that it knows, asking for a human and anger count
by that reading alone, as it also has what only looks like them ("am I chattiing with a person").
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable
from functools import lru_cache

from components.alarms import en, es
from components.alarms.vocabulary import words_of
from components.folding import plain
from components.spelling.known import NOT_IN_USE, known_words
from components.spelling.languages import languages_of
from components.spelling.vocabulary import Vocabulary

BY_LANGUAGE = {"en": en.RULES, "es": es.RULES}
ALARMS = ("self_harm", "emergency", "security_incident", "angry", "ask_human")
"""In order of weight: the first that is stated wins."""
_SERIOUS = ("self_harm", "emergency", "security_incident")

_STRETCH = 4_000  # characters looked at together: patterns take longer the longer the text
_OVERLAP = 400  # a wording that lies across two stretches is whole in one of them


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


# All languages at once: people mix them, and a word alone does not tell its language.
_SAID = {
    alarm: _any_of(said for rules in BY_LANGUAGE.values() for said in rules[alarm].said)
    for alarm in ALARMS
}
_APART = {
    alarm: _any_of(apart for rules in BY_LANGUAGE.values() for apart in rules[alarm].apart_from)
    for alarm in ALARMS
}


def recognise(text: str, meant: str | None = None) -> str | None:
    """Return the alarm, an intent, that `text` states, or None; of several the weightiest.

    `meant` is the text with its slips mended, where it has any. A long text, such as a letter, is
    read whole, a stretch at a time.
    """
    words = plain(text)
    found = {_stated(written) for written in {words, _mended(words)}}
    if meant is not None:
        found = {_stated(_mended(plain(meant))), *(one for one in found if one in _SERIOUS)}
    elif _LANGUAGES.is_one_word_of_another(words):
        found.discard("emergency")  # "foire" is no more likely "fire" than itself
    return next((alarm for alarm in ALARMS if alarm in found), None)


def _mended(words: str) -> str:
    """Return folded `words`, those that may be of an alarm with their slips mended.

    In another language ("la foire est ouverte") near words are words of its own.
    """
    in_need, *others = _vocabularies()
    is_another = _LANGUAGES.is_another(words)
    for vocabulary in (in_need, *([] if is_another else others)):
        words = vocabulary.mended(words)
    return words


_LANGUAGES = languages_of(tuple(BY_LANGUAGE))


@lru_cache(maxsize=1)
def _vocabularies() -> tuple[Vocabulary, ...]:
    known = known_words(tuple(BY_LANGUAGE))
    elsewhere = {
        word: rarity
        for word, rarity in _LANGUAGES.rarity_elsewhere().items()
        if rarity < known.get(word, NOT_IN_USE)
    }
    anywhere = ChainMap(elsewhere, known)  # type: ignore[arg-type]  # neither is changed
    others = [alarm for alarm in ALARMS if alarm != "angry"]
    return (
        # Nobody in need may be missed: their words are read so whatever else may be meant.
        Vocabulary(_words_of(["self_harm"], known), known, margin=NOT_IN_USE),
        Vocabulary(_words_of(others, known), anywhere, margin=100),
        # Anger is less urgent, and a single word states it: "idioa" is rather "idioma".
        Vocabulary(_words_of(["angry"], known), anywhere, margin=0),
    )


def _words_of(alarms: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    rules = [rules[alarm] for rules in BY_LANGUAGE.values() for alarm in alarms]
    return words_of([one for rule in rules for one in (*rule.said, *rule.apart_from)], known)


def _stated(words: str) -> str | None:
    stretches = [
        words[start : start + _STRETCH] for start in range(0, len(words), _STRETCH - _OVERLAP)
    ]
    for alarm in ALARMS:
        for stretch in stretches:
            left = _APART[alarm].sub(" ", stretch)
            if _SAID[alarm].search(" ".join(left.split())):
                return alarm
    return None
