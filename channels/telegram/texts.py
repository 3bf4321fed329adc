"""What the desk itself says on Telegram, in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES = ("en", "es")
"""Languages of the menu; English is the language of the keys."""


@cache
def catalogue(language: str) -> Catalog:
    """Return the words of a language other than English."""
    file = resources.files("channels.telegram") / "locale" / f"{language}.po"
    with file.open("rb") as words:
        return read_po(words, locale=language)


def text(language: str, key: str) -> str:
    """Return `key`, an English text, in `language`; English where that is not spoken."""
    if language == "en" or language not in LANGUAGES:
        return key
    message = catalogue(language).get(key)
    return str(message.string) if message is not None and message.string else key
