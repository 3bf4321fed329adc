"""Text with styles laid over it, as Telegram has it, and how it is cut into pieces."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

_WEB_ADDRESS = re.compile(r"https?://\S+")
_UNBROKEN = frozenset({"code", "pre", "text_link"})
_JOINER = "\u200d"
_MAX_ENTITIES = 100  # Telegram drops those after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One style, from the character `start` up to but not including `end`."""

    kind: str  # a type of `MessageEntity`
    start: int
    end: int
    url: str | None = None  # of a text_link
    language: str | None = None  # of a pre


@dataclass(frozen=True, slots=True)
class Styled:
    """A text and the styles on it."""

    text: str = ""
    spans: tuple[Span, ...] = ()

    def entities(self) -> list[dict[str, Any]]:
        """Return the styles as `MessageEntity` objects, counted in UTF-16 code units."""
        units = offsets(self.text)
        return [_entity(span, units) for span in self.spans[:_MAX_ENTITIES]]

    def piece(self, start: int, end: int) -> Styled:
        """Return the characters from `start` to `end` without white space around them."""
        text = self.text[start:end]
        start += len(text) - len(text.lstrip())
        text = text.strip()
        end = start + len(text)
        clipped = (
            replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
            for span in self.spans
            if span.start < end and span.end > start
        )
        return Styled(text, tuple(clipped))

    def after(self, first: Styled) -> Styled:
        """Return `first` and then this."""
        moved = len(first.text)
        spans = tuple(replace(s, start=s.start + moved, end=s.end + moved) for s in self.spans)
        return Styled(first.text + self.text, first.spans + spans)


def length(text: str) -> int:
    """Return how many UTF-16 code units `text` has."""
    return len(text) + sum(character > "\uffff" for character in text)


def offsets(text: str) -> Sequence[int]:
    """Return where each character begins, and where the text ends, in UTF-16 code units."""
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def split(styled: Styled, limit: int) -> list[Styled]:
    """Return `styled` in pieces of at most `limit` UTF-16 code units, none of them empty.

    A cut is made at a blank line, else at the end of a line, else at a space. Links and code are
    kept whole where a piece can hold them; a character is never cut, nor an emoji of several.
    """
    pieces = []
    units = offsets(styled.text)
    unbroken = sorted(_unbroken(styled))
    start = 0
    while start < len(styled.text):
        hard_end = bisect_right(units, units[start] + limit) - 1
        end = _cut(styled.text, start, hard_end, unbroken)
        piece = styled.piece(start, end)
        if piece.text:
            pieces.append(piece)
        start = end
    return pieces


def _entity(span: Span, units: Sequence[int]) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "type": span.kind,
        "offset": units[span.start],
        "length": units[span.end] - units[span.start],
    }
    if span.url is not None:
        entity["url"] = span.url
    if span.language is not None:
        entity["language"] = span.language
    return entity


def _unbroken(styled: Styled) -> Iterator[tuple[int, int]]:
    for span in styled.spans:
        if span.kind in _UNBROKEN:
            yield span.start, span.end
    for match in _WEB_ADDRESS.finditer(styled.text):
        yield match.span()


def _cut(text: str, start: int, hard_end: int, unbroken: Sequence[tuple[int, int]]) -> int:
    """Return where the piece that begins at `start` ends."""
    if hard_end >= len(text):
        return len(text)
    end = hard_end
    for first, last in unbroken:
        if start < first < end < last:
            end = first  # the whole of it goes to the next piece
            break
    whole = end
    for separator in ("\n\n", "\n", " "):
        # Not in the first half: short pieces would make many of them.
        found = text.rfind(separator, start + (hard_end - start) // 2, whole + len(separator))
        while found > start and _is_inside(found, unbroken, start):
            found = text.rfind(separator, start + (hard_end - start) // 2, found)
        if found > start:
            return found
    if whole < hard_end:
        return whole
    while end > start + 1 and _joins(text, end):
        end -= 1
    return end if end > start + 1 else hard_end


def _is_inside(position: int, unbroken: Sequence[tuple[int, int]], start: int) -> bool:
    # What began before the piece could not be kept whole: inside it any cut will do.
    return any(first > start and first < position < last for first, last in unbroken)


def _joins(text: str, position: int) -> bool:
    """Return whether the characters before and after `position` are one to the eye."""
    after = text[position]
    return (
        text[position - 1] == _JOINER
        or after == _JOINER
        or unicodedata.category(after) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
