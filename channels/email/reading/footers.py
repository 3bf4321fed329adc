"""Finds what programs put around an author's words: signature, device, small print, banner."""

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
_SPEAKS_OF_ITSELF = re.compile(rf"[\W\d]*(?:{'|'.join(reply_words.SPEAKS_OF_ITSELF)})", re.I)
_STOCK = tuple(
    (re.compile("|".join(one), re.I), re.compile("|".join(other), re.I))
    for one, other in (
        (reply_words.PRINTING, reply_words.PAPER),
        (reply_words.VIRUS_FREE, reply_words.SCANNERS),
    )
)
_LONGEST_STOCK = 240
_FROM_OUTSIDE = re.compile("|".join(reply_words.FROM_OUTSIDE), re.I)
_WARNS = re.compile(rf"\W*(?:{'|'.join(reply_words.WARNS)})\W{{0,3}}[:!\]–—-]", re.I)
_LONGEST_BANNER = 800
_MOST_BANNER_LINES = 6
_SENTENCE_ENDS = frozenset(".!?…。！？")
_WORDS_OF_A_SENTENCE = 4
_FOOTERS = re.compile(r"https?://|www\.|@|unsubscri|reply to this|baja|abmeld|d[eé]sabonn", re.I)
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


def without_banner(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the banner that a relay has put above a mail from outside, and what stands below."""
    start = next((at for at, line in enumerate(lines) if line.kind is not _K.EMPTY), 0)
    text = ""
    for end in range(start, min(len(lines), start + _MOST_BANNER_LINES)):
        if lines[end].kind not in _OWN:
            break
        text = f"{text} {lines[end].text}"
        if len(text) <= _LONGEST_BANNER and _is_banner(text):
            end += 1
            while end < len(lines) and _FROM_OUTSIDE.search(lines[end].text[:_LONGEST_BANNER]):
                end += 1
            has_more = any(line.kind in _OWN for line in lines[end:])
            return (lines[:end], lines[end:]) if has_more else ([], lines)
    return [], lines


def _is_banner(text: str) -> bool:
    said = {match.group().lower()[:6] for match in _FROM_OUTSIDE.finditer(text)}
    return len(said) >= (1 if _WARNS.match(text) else 2)


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
            is_drawn = lines[at].text.strip()[:1] in "=-~#*"
            if not (is_drawn and (before in _OWN or _is_prose(lines[at + 1 : end]))):
                cut = at
    return cut


def _is_prose(lines: list[Line]) -> bool:
    """Return whether `lines` go on with what somebody wrote: they end in a sentence."""
    last = next((line.text.rstrip() for line in reversed(lines) if line.text.strip()), "")
    is_sentence = last[-1:] in _SENTENCE_ENDS and len(last.split()) >= _WORDS_OF_A_SENTENCE
    return is_sentence and not _FOOTERS.search(last)


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
    is_short = len(paragraph) <= _LONGEST_STOCK
    if is_short and any(one.search(paragraph) and other.search(paragraph) for one, other in _STOCK):
        return True
    known = {match.group().lower()[:6] for match in _LEGAL.finditer(paragraph[:4_000])}
    is_sure = len(paragraph) >= _LEGAL_CHARS or bool(_SPEAKS_OF_ITSELF.match(paragraph))
    return len(known) >= (2 if is_sure else 3)
