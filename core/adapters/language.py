"""Tells what the assistant speaks apart in short texts, and from what it does not speak."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from core.domain.languages import LANGUAGES

if TYPE_CHECKING:
    from lingua import LanguageDetector

_LEAST_CONFIDENCE = 0.8
_LEAST_LETTERS = 15
_MANY_LETTERS = 60  # from which statistics know more than one telling word
_LONGEST_CHARS = 1_000
_LEAST_FOREIGN_WORDS = 4
_LEAST_FOREIGN_CONFIDENCE = 0.97
_WORD = re.compile(r"[^\W\d_]+")

_CODE = re.compile(r"\S*(?:\d|_|://|@|\w\.\w)\S*|\b[A-Z]{2,}\b")
"""Error codes, addresses, file names, numbers, abbreviations: the same in every language."""

_FREQUENT: Mapping[str, str] = {
    "en": "hello hi hey thanks thank help please yes bye goodbye human the my is how what "
    "when where can you want need cannot with does morning",
    "es": "hola gracias ayuda favor sí si adiós adios humano persona buenas buenos días dias "
    "mi el la los las una cómo como qué que cuándo cuando dónde donde quiero necesito puedo "
    "con chao tengo vale",
}
"""Words that people begin with or say much, by language."""

_LANGUAGES_OF = Counter(word for words in _FREQUENT.values() for word in set(words.split()))

_TELLING: Mapping[str, str] = {
    word: language
    for language, words in _FREQUENT.items()
    for word in words.split()
    if _LANGUAGES_OF[word] == 1
}
"""Those of one language alone, for texts too short for statistics."""


_SCRIPTS: Mapping[str, str] = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
}
"""The usual language of a script, by the first word of its letters' names in Unicode."""


_FOREIGN = ("de", "fr", "it", "nl", "pt")
"""Languages in Latin letters that are told from those the assistant speaks.

Not Catalan or Galician: Spanish with a name or two is soon taken for them.
"""

_SHARED = frozenset("la las una con como que si mi is want".split())  # noqa: SIM905
"""Those of them that French, Italian, Portuguese or Dutch has too."""


class LinguaDetector:
    """Implements `core.ports.LanguageDetector`."""

    @cached_property
    def _detector(self) -> LanguageDetector:
        """Return the statistics of what the assistant speaks, read for the first long text."""
        return _detector_of(LANGUAGES)

    @cached_property
    def _wide_detector(self) -> LanguageDetector:
        """Return the statistics of those and others, read for the first text that may need them."""
        return _detector_of({*LANGUAGES, *_FOREIGN})

    def detect_foreign(self, text: str) -> str | None:
        """See `core.ports.LanguageDetector.detect_foreign`."""
        text = _prose(text)
        letters = [char for char in text if char.isalpha()]
        scripts = [_script(char) for char in letters]
        named = Counter(language for language in scripts if language is not None)
        if named and sum(named.values()) * 2 > len(letters):
            # Japanese writes in Chinese characters too.
            written = "ja" if named["ja"] else named.most_common(1)[0][0]
            return None if written in LANGUAGES else written
        words = {word.lower() for word in _WORD.findall(text)}
        if (
            len(words) < _LEAST_FOREIGN_WORDS
            or sum(map(len, words)) < _LEAST_LETTERS
            or any(word in _TELLING and word not in _SHARED for word in words)
        ):
            return None
        best, *_ = self._wide_detector.compute_language_confidence_values(text)
        code = best.language.iso_code_639_1.name.lower()
        if code in LANGUAGES or best.value < _LEAST_FOREIGN_CONFIDENCE:
            return None
        return code

    def detect(self, text: str) -> str | None:
        """See `core.ports.LanguageDetector.detect`.

        A short text counts only by words that one language has: names, product names, codes and
        numbers must not flip a conversation's language. A word said a thousand times is one word.
        """
        text = _prose(text)
        words = {word.lower() for word in _WORD.findall(text)}
        length = sum(map(len, words))
        told = {_TELLING[word] for word in words if word in _TELLING}
        if len(told) == 1 and length < _MANY_LETTERS:
            return told.pop()
        if length < _LEAST_LETTERS:
            return None
        best, *_ = self._detector.compute_language_confidence_values(text)
        if best.value < _LEAST_CONFIDENCE:
            return None
        return best.language.iso_code_639_1.name.lower()


def _detector_of(languages: Collection[str]) -> LanguageDetector:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [IsoCode639_1.from_str(language) for language in sorted(languages)]
    # High accuracy costs 90 MB for two languages and is no better on whole sentences.
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()


def _prose(text: str) -> str:
    """Return the beginning of `text` without codes; in capitals throughout, words are no codes."""
    text = text[:_LONGEST_CHARS]
    return text if text.isupper() else _CODE.sub(" ", text)


def _script(letter: str) -> str | None:
    """Return the usual language of a letter's script; None for Latin and unknown ones."""
    if letter < "\u0370":
        return None
    return _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])
