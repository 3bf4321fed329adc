"""Knows the words that wordings are made of: read off their regular expressions."""

from __future__ import annotations

import sre_parse
from collections.abc import Iterable
from sre_constants import ASSERT, ASSERT_NOT, BRANCH, IN, LITERAL, MAX_REPEAT, SUBPATTERN
from typing import Any

_SHORTEST_BEGINNING = 4  # letters of a word that a pattern leaves open
_OPEN = "*"  # after what a pattern has of a word that may go on in any way


def words_of(patterns: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """Return the words that `patterns` name, and those of `known` that begin as they allow."""
    named: set[str] = set()
    for pattern in patterns:
        named |= _read(sre_parse.parse(pattern), {""}, named)
    beginnings = {word.partition(_OPEN)[0] for word in named if _OPEN in word}
    lengths = sorted({len(one) for one in beginnings if len(one) >= _SHORTEST_BEGINNING})
    return frozenset(
        {word for word in named if word and _OPEN not in word}
        | {word for word in known if any(word[:length] in beginnings for length in lengths)}
    )


def _read(parsed: Any, begun: set[str], named: set[str]) -> set[str]:
    """Return what words have `begun` after `parsed`, and add those that end in it to `named`."""
    for kind, content in parsed:
        letters = _letters(kind, content)
        if letters:
            begun = {word + letter for word in begun for letter in letters}
        elif kind is SUBPATTERN:
            begun = _read(content[-1], begun, named)
        elif kind is BRANCH:
            begun = set().union(*(_read(one, begun, named) for one in content[1]))
        elif kind is MAX_REPEAT:
            least, _, repeated = content
            again = _read(repeated, begun, named)
            begun = again if least else begun | again
        elif kind is IN and _is_any_letter(content):
            begun = {word + _OPEN for word in begun}
        elif kind not in (ASSERT, ASSERT_NOT):
            named |= begun
            begun = {""}
    return begun


def _letters(kind: Any, content: Any) -> list[str]:
    """Return the letters of which one stands here, or none if it may be something else."""
    codes = [content] if kind is LITERAL else []
    if kind is IN and all(one is LITERAL for one, _ in content):
        codes = [code for _, code in content]
    letters = [chr(code) for code in codes]
    return letters if all("a" <= letter <= "z" for letter in letters) else []


def _is_any_letter(content: Any) -> bool:
    return any("WORD" in str(code) and "NOT" not in str(code) for _, code in content)
