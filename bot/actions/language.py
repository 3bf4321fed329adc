"""Knows how a language is named in each of those spoken."""

from __future__ import annotations

import re
from types import MappingProxyType

from components.folding import plain

_NAMES = MappingProxyType(
    {
        "en": re.compile(r"\b(?:english|ingles|inglish|englis)\b"),
        "es": re.compile(r"\b(?:spanish|espanol|espa?nol|castellano|spanis|espaniol)\b"),
    }
)
_CANNOT = re.compile(
    r"\b(?:do not|don'?t|dont|can'?t|cannot|no) (?:\w+ ){0,2}?(?:speak|understand|read|hablo"
    r"|entiendo|se|leo|comprendo)\b[^,.;!?]*"
)


def wanted_language(text: str) -> str | None:
    """Return the language asked for: the one named, and not one the requester does not speak."""
    words = _CANNOT.sub(" ", plain(text))
    named = [language for language, name in _NAMES.items() if name.search(words)]
    if len(named) == 1:
        return named[0]
    if not named:
        # "I do not speak English" names only what is not wanted.
        unwanted = [language for language, name in _NAMES.items() if name.search(plain(text))]
        left = [language for language in _NAMES if language not in unwanted]
        if unwanted and len(left) == 1:
            return left[0]
    return None
