"""What the desk itself says to people, in their language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

_LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("en", "es")
"""Languages the desk speaks; English is the language of the keys."""


@cache
def _catalog(language: str) -> Catalog:
    path = _LOCALE / language / "LC_MESSAGES" / "desk.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def text(language: str | None, key: str, **values: object) -> str:
    """Return `key`, an English sentence, in `language`, with `{name}`s filled in.

    A language the desk does not speak, and a key without a translation, give English.
    """
    words = key
    if language in LANGUAGES and language != "en":
        message = _catalog(language).get(key)
        if message is not None and isinstance(message.string, str) and message.string:
            words = message.string
    return words.format(**values) if values else words


def spoken(*languages: str | None, default: str) -> str:
    """Return the first of `languages` that the desk speaks, else `default`."""
    return next((one for one in languages if one is not None and one in LANGUAGES), default)
