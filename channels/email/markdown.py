"""Writes the desk's Markdown as the two bodies of a mail: plain text and tidy HTML. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from channels.web_addresses import with_links
from core.domain.marks import MOST_MARKS_SENT, marks_in

_SAFE_LINK = re.compile(r"^(?:https?|mailto|tel):", re.IGNORECASE)
_STYLES = {
    # No colours but translucent greys: the reader's program, light or dark, sets its own.
    "blockquote": "margin:0 0 1em;padding-left:.8em;border-left:3px solid rgba(128,128,128,.5)",
    "pre": "padding:.6em;border:1px solid rgba(128,128,128,.4);white-space:pre-wrap",
    "table": "border-collapse:collapse",
    "th": "border:1px solid rgba(128,128,128,.5);padding:.3em .6em;text-align:left",
    "td": "border:1px solid rgba(128,128,128,.5);padding:.3em .6em",
    "h1": "font-size:1.2em;margin:1em 0 .4em",
    "h2": "font-size:1.1em;margin:1em 0 .4em",
    "h3": "font-size:1em;margin:1em 0 .4em",
    "p": "margin:0 0 1em",
    "img": "max-width:100%",
}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )


def to_html(markdown: str, pictures: Collection[str] = ()) -> str:
    """Return `markdown` as HTML with its styles in the tags.

    Markup in the text is shown as text. `pictures` are the Content-IDs of the mail's own
    pictures, which `![…](cid:…)` shows; no other picture is loaded from anywhere. What has more
    marks than people write is shown as it was typed, as `to_text` has it.
    """
    if marks_in(markdown) > MOST_MARKS_SENT:
        lines = "<br>".join(map(escape, markdown.splitlines()))
        return f'<p style="{_STYLES["p"]};white-space:pre-wrap">{lines}</p>'
    tokens = _parser().parse(markdown)
    for token in tokens:
        _style(token)
        if token.children:
            token.children = [_dressed(child, pictures) for child in with_links(token.children)]
    rendered: str = _parser().renderer.render(tokens, _parser().options, {})
    return rendered.strip()


def _style(token: Token) -> None:
    if token.nesting >= 0 and token.tag in _STYLES and token.type != "fence":
        token.attrSet("style", _STYLES[token.tag])


def _dressed(token: Token, pictures: Collection[str]) -> Token:
    """Return an inline token as it may stand in a mail: other people's pictures are words."""
    if token.type == "image":
        source = str(token.attrs.get("src", ""))
        if source.startswith("cid:") and source.removeprefix("cid:") in pictures:
            _style(token)
            return token
        return Token("text", "", 0, content=token.content or "[…]")
    return token


def to_text(markdown: str) -> str:
    """Return `markdown` as plain text that reads well: no marks, links with their addresses."""
    if marks_in(markdown) > MOST_MARKS_SENT:
        return "\n".join(markdown.splitlines()).strip()
    root = SyntaxTreeNode(_parser().parse(markdown))
    return "\n\n".join(_blocks(root.children)).strip()


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[str]:
    for node in nodes:
        match node.type:
            case "bullet_list" | "ordered_list":
                yield _list(node)
            case "blockquote":
                yield _indented("> ", "\n\n".join(_blocks(node.children)), "> ")
            case "fence" | "code_block":
                yield _indented("    ", node.content.rstrip("\n"), "    ")
            case "hr":
                yield "-" * 8
            case "table":
                rows = [row for part in node.children for row in part.children]
                yield "\n".join(
                    " | ".join(_inline(cell.children) for cell in row.children) for row in rows
                )
            case _:
                yield _inline(node.children)


def _list(node: SyntaxTreeNode) -> str:
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    lines = []
    is_tight = True
    for item in node.children:
        mark = "- " if number is None else f"{number}. "
        content = list(_blocks(item.children))
        is_tight = is_tight and all(
            child.hidden for child in item.children if child.type == "paragraph"
        )
        lines.append(_indented(mark, ("\n" if is_tight else "\n\n").join(content), " " * len(mark)))
        if number is not None:
            number += 1
    return ("\n" if is_tight else "\n\n").join(lines)


def _indented(first: str, text: str, others: str) -> str:
    head, *rest = text.split("\n")
    return "\n".join([(first + head).rstrip(), *((others + line).rstrip() for line in rest)])


def _inline(nodes: Sequence[SyntaxTreeNode]) -> str:
    parts = []
    for node in nodes:
        match node.type:
            case "text" | "code_inline":
                parts.append(node.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(f"[{node.content}]" if node.content else "")
            case "link":
                words, target = _inline(node.children), str(node.attrs.get("href", ""))
                shown = target.removeprefix("mailto:")
                parts.append(words if words in {target, shown} else f"{words} <{shown}>")
            case _:
                parts.append(_inline(node.children))
    return "".join(parts)


def page(language: str, inner: str) -> str:
    """Return a whole HTML document around `inner`, which follows the reader's light or dark."""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="supported-color-schemes" content="light dark">\n'
        "</head>\n"
        '<body style="font-family:sans-serif;font-size:15px;line-height:1.45">\n'
        f"{inner}\n</body>\n</html>\n"
    )
