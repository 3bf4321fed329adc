"""The page's words: every one of them in every language, and the reader's language is found."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from channels.webchat.texts import choose_language, words
from core.domain.languages import LANGUAGES

STATIC = resources.files("channels.webchat") / "static"
TEMPLATE = (resources.files("channels.webchat") / "templates" / "chat.html").read_text("utf-8")


def words_used() -> set[str]:
    scripts = "".join(
        file.read_text("utf-8") for file in STATIC.iterdir() if file.name.endswith(".js")
    )
    starters = re.search(r"for question in \(([^)]*)\)", TEMPLATE)
    assert starters is not None
    return {
        *re.findall(r"\bt\([\"']([^\"']+)[\"']", scripts + TEMPLATE),
        *re.findall(r'"([^"]+)"', starters[1]),
    }


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_a_catalogue_has_exactly_the_words_that_the_page_uses(language: str) -> None:
    assert set(words(language)) == words_used()
    assert all(words(language).values())


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("es", "en", "es"),
        ("es-MX", None, "es"),
        (None, "es-ES,es;q=0.9,en;q=0.8", "es"),
        (None, "fr, en;q=0.5, es;q=0.7", "es"),
        (None, "de", "en"),
        (None, None, "en"),
        ("xx", "es", "es"),
        (None, "es;q=0, en", "en"),
        (None, "es;q=high, en;q=0.1", "en"),
        ("../../etc", ";;,=,q", "en"),
    ],
)
def test_the_readers_language_is_chosen(
    asked: str | None, accepted: str | None, language: str
) -> None:
    assert choose_language(asked, accepted, "en") == language
