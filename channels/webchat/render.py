"""What a web page gets to see of a message: Markdown to safe HTML, entries to JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from functools import cache, lru_cache
from html import escape
from typing import Any
from uuid import UUID

import nh3
from markdown_it import MarkdownIt

from channels.web_addresses import with_links
from core.domain.conversation import Speaker
from core.domain.files import plain_name
from core.domain.marks import MOST_MARKS_SENT, marks_in
from core.ports import TranscriptEntry

_TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
    *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


@cache
def _markdown() -> MarkdownIt:
    # Images are off: they would let whoever wrote the text see who reads it.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return parser.enable(["table", "strikethrough"]).disable("image")


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


@lru_cache(maxsize=512)  # the assistant's answers repeat, and every open page asks for them
def to_html(markdown: str) -> str:
    """Return `markdown` as HTML that cannot run, load or restyle anything.

    Markup in the text is shown as text. The sanitiser comes after the Markdown parser as a
    second lock: each alone is meant to be enough. What has more marks than people write is shown
    as it was typed.
    """
    if marks_in(markdown) > MOST_MARKS_SENT:
        return f"<p>{'<br>'.join(map(escape, markdown.splitlines()))}</p>"
    tokens = _markdown().parse(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"} and token.tag in {"h1", "h2"}:
            token.tag = "h3"  # the page has its own first and second level
        if token.children:
            token.children = list(with_links(token.children))
    return _cleaner().clean(_markdown().renderer.render(tokens, _markdown().options, {})).strip()


def to_json(entry: TranscriptEntry, link: Callable[[UUID], str]) -> dict[str, Any]:
    """Return `entry` as the interface shows it; `link` makes the address of a file."""
    return {
        "seq": entry.seq,
        "from": entry.speaker.value,
        "text": entry.text,
        "choices": [{"id": str(choice.id), "label": choice.label} for choice in entry.choices],
        "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "id": str(entry.id),
        "name": entry.speaker_name,
        "html": None if entry.speaker is Speaker.CUSTOMER else to_html(entry.text),
        "files": [
            {
                "name": plain_name(file.name),
                "media_type": file.media_type,
                "size": file.size_bytes,
                "url": link(file.id) if file.is_ready else None,
            }
            for file in entry.files
        ],
        "chosen": str(entry.chosen) if entry.chosen is not None else None,
    }
