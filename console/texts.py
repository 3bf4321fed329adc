"""The console's words in the languages that agents read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español"})
"""Languages of the console, by their own names; English sentences are the keys."""


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return what each English sentence is in `language`; nothing for English."""
    if language == "en":
        return MappingProxyType({})
    words: dict[str, str] = {}
    for file in (resources.files(__package__) / "locale" / language / "LC_MESSAGES").iterdir():
        with file.open("rb") as opened:
            messages = read_po(opened, locale=language)
        words |= {str(message.id): str(message.string) for message in messages if message.id}
    return MappingProxyType(words)


def translate(language: str, key: str, **values: object) -> str:
    """Return `key`, an English sentence, in `language`, with `{name}`s filled in."""
    words = catalogue(language).get(key) or key if language in LANGUAGES else key
    return words.format(**values) if values else words


def accepted_language(header: str | None) -> str:
    """Return the first language of an `Accept-Language` header that the console speaks."""
    for part in (header or "").split(","):
        primary = part.partition(";")[0].strip().partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return "en"
