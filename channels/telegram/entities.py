"""How Telegram's text with entities looks in CommonMark."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from channels.telegram.fields import Fields, integer, maybe_mapping, maybe_string, string
from channels.telegram.markdown import to_styled
from channels.telegram.styled import Span, offsets

_MARKS = {"bold": "**", "italic": "*", "strikethrough": "~~"}
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_SPECIAL = re.compile(r"[\\`*_\[\]<>&~|#]")
_LINE_START = re.compile(r"^([ \t]*)([=+-]|\d{1,9}(?=[.)]))", re.MULTILINE)
_BULLET = re.compile(r"^[*+-](?= )", re.MULTILINE)
_TICKS = re.compile(r"`+")


def to_commonmark(text: str, entities: Sequence[Fields]) -> str:
    """Return `text` with its styles in CommonMark; what is literally in it stays literal.

    Styles that CommonMark has no form for leave their text (underlined, spoiler, mentions).
    Nothing is escaped that reads as itself anyway, so plain text stays as it was written.

    Raises:
        UnknownPayload: an entity is not of the Bot API's form.
    """
    spans = list(_spans(text, entities))
    wanted = _seen(text)
    # Delimiters do not work everywhere (next to a space, inside a word with punctuation); what
    # a reader would see tells whether they do, and the styles are given up where they do not.
    attempts: Iterator[str] = (
        _marked(text, some, plain)
        for some, plain in (
            (spans, str),
            (spans, _escaped),
            ([span for span in spans if span.kind not in _MARKS], _escaped),
            ([], _escaped),
        )
    )
    return next((one for one in attempts if _seen(to_styled(one).text) == wanted), text)


def _spans(text: str, entities: Sequence[Fields]) -> Iterator[Span]:
    units = offsets(text)
    for entity in entities:
        kind, url = string(entity, "type"), maybe_string(entity, "url")
        language = maybe_string(entity, "language")
        offset, count = integer(entity, "offset"), integer(entity, "length")
        if kind == "text_mention":
            user = maybe_mapping(entity, "user")
            url = None if user is None else f"tg://user?id={integer(user, 'id')}"
            kind = "text_link"
        start = bisect_left(units, offset)
        end = min(bisect_right(units, offset + count) - 1, len(text))
        if not 0 <= start < end:
            continue
        words = text[start:end]
        if kind in _MARKS or kind == "text_link":
            start += len(words) - len(words.lstrip())
            end -= len(words) - len(words.rstrip())
        if start < end:
            yield Span(kind=kind, start=start, end=end, url=url, language=language)


def _marked(text: str, spans: Sequence[Span], plain: Callable[[str], str]) -> str:
    """Return `text` with marks, `plain` having seen what is neither code nor mark."""
    outer = _outermost([span for span in spans if span.kind in _QUOTES or span.kind == "pre"])
    parts = []
    position = 0
    for block in outer:
        parts.append(_inline(text, position, block.start, spans, plain).rstrip("\n"))
        if block.kind == "pre":
            inside = _fenced(text[block.start : block.end], block.language)
        else:
            inner = [
                Span(
                    kind=span.kind,
                    start=span.start - block.start,
                    end=span.end - block.start,
                    url=span.url,
                    language=span.language,
                )
                for span in spans
                if block.start <= span.start and span.end <= block.end and span.kind not in _QUOTES
            ]
            quoted = _marked(text[block.start : block.end], inner, plain)
            inside = "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))
        parts.append(inside)
        position = block.end
    parts.append(_inline(text, position, len(text), spans, plain))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) if outer else parts[0]


def _outermost(spans: Sequence[Span]) -> list[Span]:
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not chosen or span.start >= chosen[-1].end:
            chosen.append(span)
    return chosen


def _inline(
    text: str, start: int, end: int, spans: Sequence[Span], plain: Callable[[str], str]
) -> str:
    """Return the characters from `start` to `end` with marks; overlapping styles are nested."""
    styles = sorted(
        (
            span
            for span in spans
            if (span.kind in _MARKS or span.kind in {"code", "text_link"})
            and span.start < end
            and span.end > start
        ),
        key=lambda span: (span.start, -span.end),
    )
    edges = {edge for span in styles for edge in (span.start, span.end) if start < edge < end}
    edges |= {start, end}
    parts: list[str] = []
    stack: list[Span] = []
    ordered = sorted(edges)
    for first, last in pairwise(ordered):
        active = [span for span in styles if span.start <= first and span.end >= last]
        kept = 0
        while kept < min(len(stack), len(active)) and stack[kept] is active[kept]:
            kept += 1
        parts += [_closing(span) for span in reversed(stack[kept:])]
        parts += [_opening(span) for span in active[kept:]]
        stack = active
        words = text[first:last]
        code = any(span.kind == "code" for span in active)
        parts.append(_code(words) if code else plain(words))
    parts += [_closing(span) for span in reversed(stack)]
    return "".join(parts)


def _opening(span: Span) -> str:
    return "[" if span.kind == "text_link" else _MARKS.get(span.kind, "")


def _closing(span: Span) -> str:
    if span.kind != "text_link":
        return _MARKS.get(span.kind, "")
    address = re.sub(r"[<>\s\\]", lambda found: f"%{ord(found[0]):02X}", span.url or "")
    return f"](<{address}>)"


def _code(words: str) -> str:
    fence = "`" * (max((len(run) for run in _TICKS.findall(words)), default=0) + 1)
    padding = " " if words[:1] in {"`", " "} or words[-1:] in {"`", " "} else ""
    return f"{fence}{padding}{words}{padding}{fence}"


def _fenced(code: str, language: str | None) -> str:
    fence = "`" * max(3, max((len(run) for run in _TICKS.findall(code)), default=0) + 1)
    return f"{fence}{(language or '').strip().partition(' ')[0]}\n{code}\n{fence}"


def _escaped(words: str) -> str:
    return _LINE_START.sub(_escape_marker, _SPECIAL.sub(r"\\\g<0>", words))


def _escape_marker(found: re.Match[str]) -> str:
    # A digit cannot be escaped: the mark after it can.
    return f"{found[1]}\\{found[2]}" if not found[2].isdigit() else f"{found[1]}{found[2]}\\"


def _seen(text: str) -> str:
    """Return what counts of `text` to a reader: bullets are one, white space is none."""
    bulleted = _BULLET.sub("•", "\n".join(line.strip() for line in text.split("\n")))
    return "".join(bulleted.split())
