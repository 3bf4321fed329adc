"""How text becomes comparable: what may be stored, folding of accents, Markdown without marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_TEXT_TOKENS = {"text", "code_inline"}
_UNSEEN = frozenset({"Mn", "Me", "Cf"})  # accents, and joiners, soft hyphens, marks of direction
_BREAK_TOKENS = {"softbreak", "hardbreak"}


@cache
def _commonmark() -> MarkdownIt:
    from markdown_it import MarkdownIt  # only who indexes articles has to hold it

    return MarkdownIt("commonmark", {"html": False})


def storable(text: str) -> str:
    """Return `text` without what PostgreSQL cannot keep: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """Return `text` without accents, case and letters that cannot be seen.

    For the index of words and for questions alike.
    """
    decomposed = unicodedata.normalize("NFKD", storable(text))
    return "".join(
        char for char in decomposed if unicodedata.category(char) not in _UNSEEN
    ).casefold()


def blocks(markdown: str) -> Iterator[str]:
    """Yield the text of each paragraph, heading, list item and code block."""
    for token in _commonmark().parse(markdown):
        if token.type == "inline":
            parts = []
            for child in token.children or ():
                if child.type in _TEXT_TOKENS:
                    parts.append(child.content)
                elif child.type in _BREAK_TOKENS:
                    parts.append(" ")
            block = "".join(parts).strip()
        elif token.type in {"fence", "code_block"}:
            block = token.content.strip()
        else:
            continue
        if block:
            yield block


def split(markdown: str, *, max_chars: int) -> list[str]:
    """Return the text of `markdown` in pieces of up to `max_chars`, cut where it hurts least."""
    pieces: list[str] = []
    for block in blocks(markdown):
        for sentence in _sentences(block, max_chars):
            if pieces and len(pieces[-1]) + 1 + len(sentence) <= max_chars:
                pieces[-1] += f" {sentence}"
            else:
                pieces.append(sentence)
    return pieces


def _sentences(block: str, max_chars: int) -> Iterator[str]:
    if len(block) <= max_chars:
        yield block
        return
    for sentence in _SENTENCE_END.split(block):
        rest = sentence
        while len(rest) > max_chars:
            cut = rest.rfind(" ", 1, max_chars + 1)
            cut = cut if cut > 0 else max_chars
            yield rest[:cut].strip()
            rest = rest[cut:].strip()
        if rest:
            yield rest
