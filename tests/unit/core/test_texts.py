from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import core
from core.services.handoff import NOTICES, USUAL_NOTICE
from core.texts import text

_CORE = Path(core.__file__).parent


def _keys() -> Iterator[str]:
    """Yield every English sentence that the core gives to `text` or `tell`."""
    for path in _CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                position = {"text": 1, "tell": 0}.get(name)
                if position is not None and len(node.args) > position:
                    key = node.args[position]
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value
    yield from [*NOTICES.values(), USUAL_NOTICE]


def _spanish() -> dict[str, str]:
    with (_CORE / "locale/es/LC_MESSAGES/desk.po").open("rb") as file:
        catalog = read_po(file, locale="es")
    return {str(message.id): str(message.string) for message in catalog if message.id}


def test_everything_the_desk_says_is_said_in_spanish_too() -> None:
    keys = set(_keys())
    assert len(keys) >= 10
    assert keys - _spanish().keys() == set()


@pytest.mark.parametrize(("key", "words"), _spanish().items())
def test_a_translation_fills_in_the_same_values(key: str, words: str) -> None:
    def fields(sentence: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}

    assert words
    assert fields(words) == fields(key)


def test_an_unknown_language_or_sentence_gives_english() -> None:
    assert text("fr", "Yes") == "Yes"
    assert text(None, "Yes") == "Yes"
    assert text("es", "Never translated {x}", x=1) == "Never translated 1"
    assert text("es", "Yes") == "Sí"
