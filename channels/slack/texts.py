"""What the desk says on Slack beside its messages, in each of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel.messages.pofile import read_po

LANGUAGES = ("en", "es")


@cache
def _texts(language: str) -> Mapping[str, str]:
    catalogue = resources.files(__package__) / "locale" / f"{language}.po"
    with catalogue.open("rb") as file:
        messages = read_po(file, locale=language)
    return MappingProxyType(
        {str(message.id): str(message.string) for message in messages if message.id}
    )


def text(language: str, key: str, **values: object) -> str:
    """Return `key`, an English sentence, in `language`, with `{name}`s filled in.

    A language without texts of its own gives English.
    """
    words = key
    if language in LANGUAGES and language != "en":
        words = _texts(language).get(key) or key
    return words.format(**values) if values else words


def language_of(locale: str, default: str) -> str:
    """Return the language for a locale such as `es-ES`."""
    primary = locale.replace("_", "-").partition("-")[0].lower()
    return primary if primary in LANGUAGES else default
