"""Markdown from anybody, as HTML that can do no harm."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from core.domain.marks import marks_in

_MAX_NESTING = 20
# Each may cost the parser some 35 µs: at most about as many milliseconds for one message.
_MOST_MARKS = 1_000
_MOST_MARKS_IN_LINE = 250  # of what is shown in one line; a page may have hundreds of those
_SOME_MARKS = 50  # from here on others get a turn after it
_MOST_BYTES_KEPT = 16 * 2**20  # of words and their HTML; a message is some 1,000
_ENTRY_BYTES = 300  # that it takes to keep a message, besides its words and its HTML
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
    """Return the words of `words`, CommonMark, in one line; with their marks if there are many."""
    # Most subjects have none, and a page of the queue has hundreds of them.
    if _MARK.search(words) is None or marks_in(words) > _MOST_MARKS_IN_LINE:
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
        return _as_typed(words)
    clean = nh3.clean(
        _parser.renderer.render(blocks, _parser.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}, "*": set()},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(clean)  # noqa: S704  # just cleaned


def message_html(words: str) -> Markup:
    """Return what somebody wrote, in CommonMark, as safe HTML.

    What has more marks and lines than people write is shown as it was typed: a parser takes a
    third of a second for 20,000 characters of them, and a page has hundreds of messages.
    """
    if marks_in(words) > _MOST_MARKS:
        return _as_typed(words)
    return _kept.html_of(words)


async def render_ahead(messages: Iterable[str]) -> None:
    """Have the HTML of `messages` at hand for the page that comes next.

    A page is filled in at one go; here whoever else asks this process has a turn in between.
    """
    for words in messages:
        message_html(words)
        if marks_in(words) > _SOME_MARKS:
            await asyncio.sleep(0)


class KeptHtml:
    """The HTML of the messages that were asked for last, in a bounded number of bytes.

    A page is asked for again with every message that is added to it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[Markup, int]] = OrderedDict()
        self.bytes = 0

    def html_of(self, words: str) -> Markup:
        """Return `to_html(words)`."""
        if words in self._kept:
            self._kept.move_to_end(words)
            return self._kept[words][0]
        html = to_html(words)
        size = sys.getsizeof(words) + sys.getsizeof(html) + _ENTRY_BYTES
        self._kept[words] = html, size
        self.bytes += size
        while self.bytes > self._most_bytes:
            self.bytes -= self._kept.popitem(last=False)[1][1]
        return html


_kept = KeptHtml(_MOST_BYTES_KEPT)


def _as_typed(words: str) -> Markup:
    # Its line ends and runs of spaces are shown: what comes here is mostly a log or a table.
    return Markup('<p class="typed">{}</p>').format("\n".join(words.splitlines()))
