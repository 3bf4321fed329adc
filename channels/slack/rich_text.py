"""What people typed, as Slack's editor has it (`rich_text` blocks), to CommonMark.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Sequence

from channels.slack import mrkdwn
from channels.slack.fields import Fields

_DEEPEST_LIST = 8


def to_commonmark(blocks: Sequence[Fields]) -> str | None:
    """Return the text of a message's blocks, or None where they are not what people typed."""
    if not blocks or any(block.text("type") != "rich_text" for block in blocks):
        return None
    pieces = [_piece(element) for block in blocks for element in block.each("elements")]
    return "\n\n".join(piece for piece in pieces if piece.strip())


def _piece(element: Fields) -> str:
    match element.text("type"):
        case "rich_text_list":
            return _list(element)
        case "rich_text_preformatted":
            return mrkdwn.fenced("".join(_words(part) for part in element.each("elements")))
        case "rich_text_quote":
            quoted = _inline(element)
            return "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))
        case _:
            return _inline(element).strip("\n")


def _list(element: Fields) -> str:
    depth = min(element.number("indent") or 0, _DEEPEST_LIST)
    first = (element.number("offset") or 0) + 1
    is_ordered = element.text("style") == "ordered"
    lines = []
    for number, item in enumerate(element.each("elements"), first):
        mark = f"{number}." if is_ordered else "-"
        text = _inline(item).strip("\n").replace("\n", "\n" + "   " * (depth + 1))
        lines.append(f"{'   ' * depth}{mark} {text}")
    return "\n".join(lines)


def _inline(element: Fields) -> str:
    return "".join(_styled(part) for part in element.each("elements"))


def _styled(part: Fields) -> str:
    style = part.inner("style")
    if part.text("type") == "text":
        text = part.text("text")
        if style.flag("code"):
            return mrkdwn.code(text) if text else ""
        return _marked(mrkdwn.literal(text), style)
    if part.text("type") == "link":
        return _marked(mrkdwn.link(part.text("url"), part.text("text")), style)
    return _marked(_words(part), style)


def _marked(text: str, style: Fields) -> str:
    """Put the marks of `style` around `text`; CommonMark wants no space inside them."""
    inner = text.strip()
    if not inner:
        return text
    marks = "".join(
        mark
        for name, mark in (("strike", "~~"), ("bold", "**"), ("italic", "*"))
        if style.flag(name)
    )
    before = text[: len(text) - len(text.lstrip())]
    after = text[len(text.rstrip()) :]
    return f"{before}{marks}{inner}{marks[::-1]}{after}"


def _words(part: Fields) -> str:
    match part.text("type"):
        case "text":
            return part.text("text")
        case "link":
            return part.text("text") or part.text("url")
        case "user":
            return mrkdwn.mention(part.text("user_id"))
        case "usergroup":
            return mrkdwn.mention(part.text("usergroup_id"))
        case "channel":
            return f"#{part.text('channel_id')}"
        case "broadcast":
            return mrkdwn.mention(part.text("range"))
        case "emoji":
            return _emoji(part)
        case "date":
            return part.text("fallback")
        case "color":
            return part.text("value")
        case _:
            return ""


def _emoji(part: Fields) -> str:
    """Return the character of an emoji where Slack gives it, else its name between colons."""
    try:
        points = [int(point, 16) for point in part.text("unicode").split("-") if point]
        if points and all(0x23 <= point < 0x110000 for point in points):
            text = "".join(map(chr, points))
            return text if text.isprintable() or len(points) > 1 else f":{part.text('name')}:"
    except ValueError:
        return f":{part.text('name')}:"
    return f":{part.text('name')}:"
