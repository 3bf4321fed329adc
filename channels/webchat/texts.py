"""The words on the chat page, in each of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español"})
"""Languages of the page, by their own names."""


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return what each English text of the page is in `language`; nothing for English."""
    if language == "en":
        return MappingProxyType({})
    catalogue = resources.files(__package__) / "locale" / f"{language}.po"
    with catalogue.open("rb") as file:
        messages = read_po(file, locale=language)
    return MappingProxyType(
        {str(message.id): str(message.string) for message in messages if message.id}
    )


def choose_language(asked: str | None, accepted: str | None, default: str) -> str:
    """Return the page language for a `lang` parameter and an `Accept-Language` header."""
    for tag in (asked or "", *_by_preference(accepted or ""), default):
        primary = tag.replace("_", "-").partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return next(iter(LANGUAGES))


def _by_preference(header: str) -> list[str]:
    weighted = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue  # a language with an unreadable weight is one the reader did not ask for
        if weight > 0:
            weighted.append((weight, tag.strip()))
    weighted.sort(key=lambda pair: -pair[0])
    return [tag for _, tag in weighted]
