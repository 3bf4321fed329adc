"""Knows which words people use in each language, and how rare each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from wordfreq import available_languages, read_cBpack

from components.folding import plain

RAREST = 700  # in hundredths of powers of ten: what is rarer than one in 10^7 may be no word
NOT_IN_USE = 2 * RAREST  # the rarity of what is in no list


@lru_cache(maxsize=1)
def known_words(languages: tuple[str, ...]) -> Mapping[str, int]:
    """Return the words in use in any of `languages`, folded, and how rare each is, in hundredths of
    powers of ten (700 is one in 10^7)."""
    known: dict[str, int] = {}
    for language in languages:
        for word, rarity in words_of_language(language).items():
            known[word] = min(rarity, known.get(word, rarity))
    return known


@cache
def words_of_language(language: str) -> Mapping[str, int]:
    """Return the words in use in `language`, as `known_words` does."""
    return _by_word(language, "large")


@cache
def words_in_use(language: str) -> Mapping[str, int]:
    """Return the commoner words of `language`, to one in 10^6, as `known_words` does."""
    return _by_word(language, "small")


@cache
def accented(language: str) -> Mapping[str, str]:
    """Return how folded words of `language` are written, as far as that is another way."""
    written: dict[str, str] = {}
    for word, folded, _ in _listed(language, "large"):
        written.setdefault(folded, word)
    return {folded: word for folded, word in written.items() if folded != word}


def _by_word(language: str, words_listed: str) -> Mapping[str, int]:
    words: dict[str, int] = {}
    for _, folded, rarity in _listed(language, words_listed):
        words.setdefault(folded, rarity)
    return words


def _listed(language: str, words_listed: str) -> Iterator[tuple[str, str, int]]:
    """Yield each word in use, the word folded, and its rarity, the commonest words first."""
    lists = read_cBpack(available_languages(words_listed)[language])
    for rarity, words in enumerate(lists[:RAREST]):
        for word in words:
            yield word, word if word.isascii() else plain(word), rarity
