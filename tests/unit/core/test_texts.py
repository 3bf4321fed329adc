from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
from core.domain.languages import LANGUAGES, SOURCE
from core.services.tickets.handoff import NOTICES, USUAL_NOTICE
from core.texts import Catalogue, text

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


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != SOURCE])
def test_everything_the_desk_says_is_said_in_each_language(language: str) -> None:
    keys = set(_keys())
    assert len(keys) >= 10
    assert keys - Catalogue("core").words(language).keys() == set()


def test_an_unknown_language_or_sentence_gives_english() -> None:
    assert text("fr", "Yes") == "Yes"
    assert text(None, "Yes") == "Yes"
    assert text("es", "Never translated {x}", x=1) == "Never translated 1"
    assert text("es", "Yes") == "Sí"
