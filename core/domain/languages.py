"""The languages the desk speaks, and which of them a reader is spoken to in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from babel import Locale

from core.domain.errors import WrongName

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español"})
"""What the assistant and the desk's own words speak, by ISO 639-1 and in their own words.

Articles may be in others too.
"""

CONSOLE_LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español"})
"""What agents may read the console in."""

SOURCE = "en"
"""What the keys of all translations are written in."""


def is_language(code: str) -> bool:
    """Say whether `code` is a language of ISO 639-1, spoken by the desk or not."""
    return len(code) == 2 and code in Locale(SOURCE).languages


def primary(tag: str | None) -> str:
    """Return the language of a tag such as `es-MX` or `es_ES` (BCP 47); of none, an empty text."""
    return (tag or "").replace("_", "-").partition("-")[0].lower()


def language_codes(tags: Iterable[str]) -> list[str]:
    """Return the languages of `tags`, each once, in order.

    Raises:
        WrongName: one is no code of ISO 639-1, with or without a region.
    """
    codes = dict.fromkeys(primary(tag.strip()) for tag in tags if tag.strip())
    for code in codes:
        if not is_language(code):
            raise WrongName("a language is written as a code such as en or es: {name}", code)
    return list(codes)


def spoken(*tags: str | None, default: str = SOURCE, among: Collection[str] = LANGUAGES) -> str:
    """Return the language of the first of `tags` that is `among` those spoken, else `default`."""
    return next((language for tag in tags if (language := primary(tag)) in among), default)


def by_preference(header: str | None) -> list[str]:
    """Return the tags of an `Accept-Language` header, the most wanted first (RFC 9110, 12.5.4)."""
    weighted = []
    for part in (header or "").split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue  # a language with an unreadable weight is one the reader did not ask for
        if weight > 0:
            weighted.append((weight, tag.strip()))
    weighted.sort(key=lambda pair: -pair[0])
    return [tag for _, tag in weighted]
