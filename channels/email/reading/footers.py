"""Finds what hangs below an author's words: signature, device, small print."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.email.reading import reply_words
from channels.email.reading.reply_lines import Line, LineKind

_K = LineKind
_OWN = frozenset({_K.WORDS, _K.CODE, _K.QUOTE})
_MOST_LINES_UNDER_RULE = 12
_MOST_LINES_UNDER_DASHES = 25
_NAME_AFTER_DASH = re.compile(
    r"-[A-Z][\w.'’]*(?: [A-Z][\w.'’]*){0,3}\s*|--\s?[A-Z][\w.'’]*(?: [\w.'’]+){0,3}\s*"
)
_LEGAL = re.compile("|".join(reply_words.LEGAL), re.I)
_MOST_LEGAL_PARAGRAPHS = 6
_LEGAL_CHARS = 200


def without_footer(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the lines above the footer, and the footer. What is above is never empty of words.

    Where all would be footer, none is.
    """
    end = _stripped(lines, len(lines))
    # What one rule cuts off may have hidden what another looks for.
    for _ in range(4):
        cut = min(
            _above_dashes(lines, end),
            _above_rule(lines, end),
            _above_device(lines, end),
            _above_small_print(lines, end),
            _above_name(lines, end),
        )
        cut = _stripped(lines, cut)
        if cut == end or not any(line.kind in _OWN for line in lines[:cut]):
            break
        end = cut
    return lines[:end], lines[end:]


def _stripped(lines: list[Line], end: int) -> int:
    while end and lines[end - 1].kind in {_K.EMPTY, _K.RULE, _K.SIGNATURE}:
        end -= 1
    return end


def _above_dashes(lines: list[Line], end: int) -> int:
    cut = end
    for at, below in _from_below(lines, end, _MOST_LINES_UNDER_DASHES):
        if lines[at].kind is _K.SIGNATURE:
            is_exact = lines[at].text in {"-- ", "--"}
            if is_exact or below <= _MOST_LINES_UNDER_RULE:
                cut = at
    return cut


def _above_rule(lines: list[Line], end: int) -> int:
    cut = end
    for at, _ in _from_below(lines, end, _MOST_LINES_UNDER_RULE):
        if lines[at].kind is _K.RULE:
            before = lines[at - 1].kind if at else _K.EMPTY
            is_underline = before in _OWN and lines[at].text.strip()[:1] in "=-~#*"
            if not is_underline:
                cut = at
    return cut


def _from_below(lines: list[Line], end: int, most: int) -> Iterator[tuple[int, int]]:
    """Give each place above `end`, lowest first, and how many lines with something stand below."""
    below = 0
    for at in range(end - 1, -1, -1):
        yield at, below
        below += lines[at].kind is not _K.EMPTY
        if below > most:
            return


def _above_device(lines: list[Line], end: int) -> int:
    at = end
    while at and lines[at - 1].kind in {_K.SENT_FROM, _K.EMPTY}:
        at -= 1
    return at


def _above_name(lines: list[Line], end: int) -> int:
    if end < 2 or lines[end - 1].kind is not _K.WORDS:
        return end
    is_apart = lines[end - 2].kind is _K.EMPTY
    return end - 1 if is_apart and _NAME_AFTER_DASH.fullmatch(lines[end - 1].text) else end


def _above_small_print(lines: list[Line], end: int) -> int:
    cut = at = end
    for _ in range(_MOST_LEGAL_PARAGRAPHS):
        stop = _stripped(lines, at)
        start = stop
        while start and lines[start - 1].kind not in {_K.EMPTY, _K.RULE}:
            start -= 1
        if start == stop:
            break
        if _is_small_print(" ".join(line.text for line in lines[start:stop])):
            cut = start
        at = start
    return cut


def _is_small_print(paragraph: str) -> bool:
    known = {match.group().lower()[:6] for match in _LEGAL.finditer(paragraph[:4_000])}
    return len(known) >= 3 or (len(known) >= 2 and len(paragraph) >= _LEGAL_CHARS)
