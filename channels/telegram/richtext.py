"""How Telegram's rich messages (Bot API 10.1) look in CommonMark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from channels.telegram.fields import Fields, mapping, mappings, maybe_string, string
from core.domain.errors import UnknownPayload

_MAX_DEPTH = 32
_MARKS: Mapping[str, str] = MappingProxyType(
    {"bold": "**", "italic": "*", "strikethrough": "~~", "code": "`"}
)
MEDIA = frozenset({"animation", "audio", "photo", "video", "voice_note"})
"""Blocks with a file; it is in the field of the same name."""


def to_commonmark(message: Fields) -> str:
    """Return the text of a `RichMessage`; its files are apart (see `media_of`).

    Raises:
        UnknownPayload: it is not of the Bot API's form, or nested too deeply.
    """
    return "\n\n".join(_blocks(mappings(message, "blocks"), _MAX_DEPTH))


def media_of(message: Fields) -> Iterator[Fields]:
    """Yield the blocks of a `RichMessage` that are files, in reading order."""
    yield from _media(mappings(message, "blocks"), _MAX_DEPTH)


def _media(blocks: Any, depth: int) -> Iterator[Fields]:
    _check(depth)
    for block in blocks:
        if string(block, "type") in MEDIA:
            yield block
        for inner in (block, *mappings(block, "items")):
            yield from _media(mappings(inner, "blocks"), depth - 1)


def _blocks(blocks: Any, depth: int) -> list[str]:
    texts = [_block(block, depth) for block in blocks]
    return [text for text in texts if text.strip()]


def _block(block: Fields, depth: int) -> str:
    _check(depth)
    match string(block, "type"):
        case "paragraph" | "footer" | "thinking":
            return _text(block.get("text"), depth)
        case "heading":
            return f"**{_text(block.get('text'), depth).strip()}**"
        case "pre":
            language = maybe_string(block, "language") or ""
            return f"```{language}\n{_plain(block.get('text'), depth)}\n```"
        case "divider":
            return "---"
        case "mathematical_expression":
            return f"`{string(block, 'expression')}`"
        case "list":
            return "\n".join(_item(item, depth) for item in mappings(block, "items"))
        case "blockquote":
            return _quoted("\n\n".join(_blocks(mappings(block, "blocks"), depth - 1)))
        case "pullquote":
            return _quoted(_text(block.get("text"), depth))
        case "table":
            return _table(block, depth)
        case "details":
            inner = _blocks(mappings(block, "blocks"), depth - 1)
            return "\n\n".join([_text(block.get("summary"), depth), *inner])
        case "anchor":
            return ""
        case "map":
            place = mapping(block, "location")
            return f"[{place.get('latitude')}, {place.get('longitude')}]"
        case "collage" | "slideshow":
            inner = _blocks(mappings(block, "blocks"), depth - 1)
            return "\n\n".join([*inner, _caption(block, depth)])
        case kind if kind in MEDIA:
            return _caption(block, depth)
        case kind:
            raise UnknownPayload(f"rich block of type {kind!r}")


def _item(item: Fields, depth: int) -> str:
    inner = "\n".join(_blocks(mappings(item, "blocks"), depth - 1))
    label = string(item, "label")
    marker = f"{label} " if label[:1].isdigit() and label.endswith((".", ")")) else "- "
    return marker + inner.replace("\n", "\n" + " " * len(marker))


def _table(block: Fields, depth: int) -> str:
    rows = block.get("cells")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise UnknownPayload("`cells` is not a list of rows")
    lines = []
    for row in rows:
        if not all(isinstance(cell, dict) for cell in row):
            raise UnknownPayload("a cell is not an object")
        lines.append(" | ".join(_text(cell.get("text", ""), depth) for cell in row))
    return "\n".join(lines)


def _caption(block: Fields, depth: int) -> str:
    caption = block.get("caption")
    if isinstance(caption, dict) and "text" in caption:
        return _text(caption["text"], depth)
    return ""


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _text(rich: Any, depth: int) -> str:
    """Return a `RichText`, which is a string, a list of them, or an object."""
    _check(depth)
    match rich:
        case str():
            return rich
        case list():
            return "".join(_text(part, depth - 1) for part in rich)
        case {"type": "custom_emoji"}:
            return string(rich, "alternative_text")
        case {"type": "mathematical_expression"}:
            return f"`{string(rich, 'expression')}`"
        case {"type": "anchor"}:
            return ""
        case {"type": "url"}:
            return f"[{_text(rich.get('text'), depth - 1)}](<{string(rich, 'url')}>)"
        case {"type": str(kind), "text": inner}:
            words = _text(inner, depth - 1)
            mark = _MARKS.get(kind, "") if words == words.strip() and words else ""
            return f"{mark}{words}{mark}"
        case _:
            raise UnknownPayload("rich text of a form we do not know")


def _plain(rich: Any, depth: int) -> str:
    """Return a `RichText` without styles."""
    _check(depth)
    match rich:
        case str():
            return rich
        case list():
            return "".join(_plain(part, depth - 1) for part in rich)
        case {"text": inner}:
            return _plain(inner, depth - 1)
        case {"alternative_text": str(words)} | {"expression": str(words)}:
            return words
        case _:
            return ""


def _check(depth: int) -> None:
    if depth <= 0:
        raise UnknownPayload("a rich message is nested too deeply")
