"""Tells English from Spanish in short texts, and says nothing where the text says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

_LEAST_CONFIDENCE = 0.8
_LEAST_LETTERS = 15
_LONGEST_CHARS = 1_000
_WORD = re.compile(r"[^\W\d_]+")

_TELLING: Mapping[str, str] = {
    word: language
    for language, words in {
        "en": "hello hi hey thanks thank help please yes bye goodbye human the my is how what "
        "when where can you want need cannot with does morning",
        "es": "hola gracias ayuda favor sí si adiós adios humano persona buenas buenos días dias "
        "mi el la los las una cómo como qué que cuándo cuando dónde donde quiero necesito puedo "
        "con chao tengo vale",
    }.items()
    for word in words.split()
}
"""Words of one language and not the other, for texts too short for statistics."""


class LinguaDetector:
    """Implements `core.ports.LanguageDetector`."""

    @cached_property
    def _detector(self) -> LanguageDetector:
        """Return the statistics of both languages, which are read for the first long text."""
        from lingua import Language, LanguageDetectorBuilder

        # High accuracy costs 90 MB for two languages and is no better on whole sentences.
        candidates = (Language.ENGLISH, Language.SPANISH)
        return LanguageDetectorBuilder.from_languages(*candidates).with_low_accuracy_mode().build()

    def detect(self, text: str) -> str | None:
        """See `core.ports.LanguageDetector.detect`.

        A short text counts only by words that one language has: names, product names, codes and
        numbers must not flip a conversation's language.
        """
        words = [word.lower() for word in _WORD.findall(text[:_LONGEST_CHARS])]
        if sum(map(len, words)) < _LEAST_LETTERS:
            told = {_TELLING[word] for word in words if word in _TELLING}
            return told.pop() if len(told) == 1 else None
        best, *_ = self._detector.compute_language_confidence_values(text[:_LONGEST_CHARS])
        if best.value < _LEAST_CONFIDENCE:
            return None
        return best.language.iso_code_639_1.name.lower()
