"""Markdown from anybody, as HTML that can do no harm."""

from __future__ import annotations

import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_MAX_NESTING = 20
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "strong", "ul",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel"}

# Pictures would tell their owner's server who reads, and when: they stay text.
_parser = MarkdownIt(
    "commonmark", {"html": False, "breaks": True, "maxNesting": _MAX_NESTING}
).disable("image")

_page_parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_HEADING = re.compile(r"<(h[1-6])>(.*?)</\1>", re.DOTALL)
_NO_PART_OF_NAMES = re.compile(r"<[^>]*>|&\w+;|[^\w\- ]")
# What can be more than the words themselves: marks, and beginnings of lines that make a block.
_MARK = re.compile(r"[\\`*_\[\]<>&#~\x00]|(?:^|[\r\n])[ \t]*(?:[-+=]|\d{1,9}[.)])")
_PAGE_TAGS = _TAGS | {"table", "thead", "tbody", "tr", "th", "td"}


def to_page(words: str) -> Markup:
    """Return a page of the desk's own documentation as HTML.

    It may have tables, and its headings can be linked to, by the names that they have on GitHub.
    """
    clean = nh3.clean(
        _page_parser.render(words), tags=_PAGE_TAGS, url_schemes=_SCHEMES, link_rel="noopener"
    )
    return Markup(_HEADING.sub(_named, clean))  # noqa: S704  # just cleaned


def _named(heading: re.Match[str]) -> str:
    plain = _NO_PART_OF_NAMES.sub("", heading[2].lower())
    return f'<{heading[1]} id="{plain.replace(" ", "-")}">{heading[2]}</{heading[1]}>'


def to_plain(words: str) -> str:
    """Return the words of `words`, CommonMark, in one line."""
    if _MARK.search(words) is None:  # most subjects: a page of the queue has hundreds
        return " ".join(words.split())
    return plain_of_parsed(words)


def plain_of_parsed(words: str) -> str:
    """Do what `to_plain` does by way of the parser, whatever `words` are."""
    said: list[str] = []
    for block in _parser.parse(words):
        if block.type in {"fence", "code_block"}:
            said.append(block.content)
        for token in block.children or ():
            said.append(token.content if token.type in {"text", "code_inline"} else "")
            if token.type in {"softbreak", "hardbreak"}:
                said.append(" ")
        said.append(" ")
    return " ".join("".join(said).split())


def to_html(words: str) -> Markup:
    """Return `words`, CommonMark, as safe HTML; HTML within is shown as text."""
    blocks = _parser.parse(words)
    if any(block.level >= _MAX_NESTING - 1 for block in blocks):
        # The parser leaves out what is nested deeper; better without marks than not at all.
        return Markup("<p>{}</p>").format(Markup("<br>").join(words.splitlines()))
    clean = nh3.clean(
        _parser.renderer.render(blocks, _parser.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}, "*": set()},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(clean)  # noqa: S704  # just cleaned
