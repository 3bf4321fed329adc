"""The console's words: every one that is used is there in Spanish, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module, resources
from importlib.resources.abc import Traversable
from pkgutil import iter_modules
from uuid import UUID

import pytest

from console import words
from console.rooms import ROOMS, SECTIONS, TABS
from console.texts import accepted_language, catalogue, translate
from console.words.errors import error_in_words
from core.domain.errors import InvalidInput
from core.domain.languages import CONSOLE_LANGUAGES
from core.domain.views import ViewFilter
from core.services.accounts.fields import fields_of
from core.wiring.kinds import Kinds

_CALL = re.compile(
    r"""(?:\b(?:t|say)|translator\(request\))\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
)
_HOLES = re.compile(r"\{(\w+)\}")


def files(room: Traversable, ending: str) -> Iterator[Traversable]:
    for entry in room.iterdir():
        if entry.is_dir():
            if entry.name != "node_modules":
                yield from files(entry, ending)
        elif entry.name.endswith(ending):
            yield entry


def words_used() -> set[str]:
    room = resources.files("console")
    said = {
        str(ast.literal_eval(literal))
        for ending in (".html", ".py")
        for file in files(room, ending)
        for literal in _CALL.findall(file.read_text("utf-8"))
    }
    for module in iter_modules(words.__path__, f"{words.__name__}."):
        for title, table in vars(import_module(module.name)).items():
            if title.isupper() and not title.endswith(("MARK", "CHIP")):
                said |= set(table.values() if isinstance(table, Mapping) else table)
    places = (*ROOMS, *SECTIONS, *TABS)
    said |= {words for place in places for words in (place.name, place.hint, place.group) if words}
    return said | settings_of_kinds()


def settings_of_kinds() -> set[str]:
    """Return what the kinds of account call their settings."""
    fields = [field for kind in Kinds().values() for field in fields_of(kind.settings)]
    return {words for field in fields for words in (field.label, field.hint) if words}


@pytest.mark.parametrize("language", [code for code in CONSOLE_LANGUAGES if code != "en"])
def test_a_catalogue_has_exactly_the_words_that_are_used(language: str) -> None:
    assert set(catalogue(language)) == words_used()
    assert all(catalogue(language).values())


@pytest.mark.parametrize("language", [code for code in CONSOLE_LANGUAGES if code != "en"])
def test_translations_keep_the_holes_of_their_sentences(language: str) -> None:
    for english, translated in catalogue(language).items():
        assert set(_HOLES.findall(english)) == set(_HOLES.findall(translated)), english


def test_spanish_calls_the_same_things_the_same() -> None:
    for english, spanish in catalogue("es").items():
        if "ticket" in english.lower():
            assert not re.search(r"\bcasos?\b", spanish, re.IGNORECASE), english
        assert "no deseado" not in spanish, english


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([{"field": str(UUID(int=1)), "comparison": "is", "value": "x"}] * 11, "Una vista tiene"),
        ([{"field": "none", "comparison": "is", "value": "x"}], "Una condición nombra"),
        (
            [{"field": str(UUID(int=1)), "comparison": "changed", "value": "x"}],
            "Una lista de tickets",
        ),
    ],
)
def test_what_is_wrong_with_a_view_is_said_in_spanish(
    fields: list[dict[str, str]], said: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        ViewFilter.from_json({"fields": fields})
    assert error_in_words(wrong.value, partial(translate, "es")).startswith(said)


def test_what_a_catalogue_lacks_stays_english() -> None:
    assert translate("es", "{name} has it", name="Ana") == "Lo tiene Ana"
    assert translate("es", "Not a sentence of ours") == "Not a sentence of ours"
    assert translate("xx", "Queue") == "Queue"


@pytest.mark.parametrize(
    ("header", "language"),
    [("es-MX,es;q=0.9,en;q=0.8", "es"), ("fr,de", "en"), (None, "en"), ("../es", "en")],
)
def test_the_browsers_language_is_taken(header: str | None, language: str) -> None:
    assert accepted_language(header) == language
