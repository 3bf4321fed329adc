"""What mail of the desk says besides its message, in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES = ("en", "es")
"""Languages with templates of their own; English is the language of the keys."""

GREETING = "Hello,"
IF_IT_DOES_NOT_HELP = (
    "This is an automatic answer. If it does not help, reply to this mail, "
    "and a person will read it."
)
CHOOSE = "Reply with the number that fits:"
YOUR_MESSAGE = "Your message"
WROTE = "You wrote:"


@cache
def _catalog(language: str) -> Catalog:
    with (resources.files(__package__) / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def mail_language(language: str | None) -> str:
    """Return the language of the templates for someone who speaks `language`."""
    primary = (language or "").replace("_", "-").partition("-")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


def text(language: str | None, key: str, **values: str) -> str:
    """Return `key` in `language`, with `{name}`s filled in; English where it is not spoken."""
    words = key
    if mail_language(language) != "en":
        message = _catalog(mail_language(language)).get(key)
        if message is not None and isinstance(message.string, str) and message.string:
            words = message.string
    for name, value in values.items():  # not str.format: a value may hold braces
        words = words.replace("{" + name + "}", value)
    return words
