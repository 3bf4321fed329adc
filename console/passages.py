"""How what a search found is shown: the words that were looked for stand out."""

from __future__ import annotations

from collections.abc import Sequence

from console.markdown import to_plain
from core.domain.search import Fragment, passage
from core.services.search.searching import Findings

_MAX_CHARS = 4_000  # of a message that are looked through


def found_in(findings: Findings, words: str, *, max_chars: int = 180) -> Sequence[Fragment]:
    """Return the telling part of `words`, which may have marks of Markdown."""
    text = words if len(words) <= _MAX_CHARS else _around(findings, words)
    return passage(to_plain(text), findings.matched.__contains__, max_chars=max_chars)


def _around(findings: Findings, words: str) -> str:
    """Return the part of a long text that begins a little before the first word found."""
    places = [place for word in findings.matched if (place := words.find(word)) >= 0]
    start = max(0, min(places, default=0) - _MAX_CHARS // 4)
    return words[start : start + _MAX_CHARS]
