"""How much a Markdown parser would have to look into in a text: its marks and its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_MARKS_SENT = 3_000
"""A message with more of them is sent as it was typed: each may cost a parser some 35 µs.

What is sent is parsed once or twice and may be an article, so it is three times what a page of
many messages takes.
"""

_COSTLY = "\\`*_[]<>&#~+-=\n\r"
_NUMBERING = re.compile(r"\d[.)]\s")
_FENCE = re.compile(r"(`{3,})[^`]*|(~{3,}).*")


def marks_in(words: str) -> int:
    """Return how many marks and lines `words` have, beyond which nothing in them is dear."""
    if "```" in words or "~~~" in words:
        words = "\n".join(outside_fences(words))
    return sum(map(words.count, _COSTLY)) + sum(1 for _ in _NUMBERING.finditer(words))


def outside_fences(words: str) -> Iterator[str]:
    """Yield the lines of `words` that a parser has to look into: the others are shown as they are.

    Only fences at the beginning of a line are known here, and only where there are no others:
    what those hold depends on the lists and quotations around them.
    """
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if any(mark in line[1:].lstrip(line[:1]) for line in lines for mark in ("```", "~~~")):
        yield from lines
        return
    fence = ""
    for line in lines:
        if fence:
            if line.startswith(fence) and not line.lstrip(fence[0]).strip(" \t"):
                fence = ""
                yield line
        else:
            opening = _FENCE.fullmatch(line)
            fence = (opening[1] or opening[2]) if opening else ""
            yield line
