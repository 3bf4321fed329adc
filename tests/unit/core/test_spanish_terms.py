"""The field's terms are the same in every catalogue: a ticket is a ticket, and spam is spam."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import channels
import console
import core

_OTHER_WORDS = re.compile(
    r"(?<!en )\bcasos?\b|\btiquets?\b|\btiques?\b|correo (?:no deseado|basura)", re.IGNORECASE
)


def _catalogues() -> list[Path]:
    rooms = [Path(room.__file__ or "").parent for room in (channels, console, core)]
    files = [file for room in rooms for file in room.rglob("es/*/*.po")]
    return [file for file in files if "node_modules" not in file.parts]


def _sentences() -> list[tuple[str, str, str]]:
    """Return each file with its sentences in English and Spanish."""
    found: list[tuple[str, str, str]] = []
    for path in _catalogues():
        with path.open("rb") as file:
            said = [message for message in read_po(file, locale="es") if message.id]
        found.extend((path.as_posix(), str(one.id), str(one.string)) for one in said)
    return found


def test_catalogues_are_found_in_every_package() -> None:
    assert len(_catalogues()) > 20
    assert len(_sentences()) > 1000


@pytest.mark.parametrize("term", ["ticket", "spam"])
def test_a_term_is_the_same_in_spanish(term: str) -> None:
    word = re.compile(rf"\b{term}s?\b", re.IGNORECASE)
    lacking = [one for one in _sentences() if word.search(one[1]) and not word.search(one[2])]
    assert lacking == []


def test_no_other_word_is_used_for_them() -> None:
    assert [one for one in _sentences() if _OTHER_WORDS.search(one[2])] == []
