"""Replies as mail programs write them, each with what its author wrote: `tests/data/replies/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "data" / "replies"
_BEGINS = "#### "
_VISIBLE = "visible"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReply:
    """A reply, and its visible part."""

    name: str
    is_html: bool
    content: str
    visible: str


def written_replies() -> Iterator[WrittenReply]:
    """Give the replies of all files: ``#### name | text``, the mail, ``#### visible``, its part."""
    for file in sorted(_FOLDER.glob("*.txt")):
        _, *pieces = f"\n{file.read_text(encoding='utf-8')}".split(f"\n{_BEGINS}")
        for asked, expected in zip(pieces[::2], pieces[1::2], strict=True):
            title, _, content = asked.partition("\n")
            name, _, form = title.rpartition(" | ")
            word, _, visible = expected.partition("\n")
            assert (word, form in {"text", "html"}) == (_VISIBLE, True), title
            yield WrittenReply(
                name=f"{file.stem}: {name}",
                is_html=form == "html",
                content=content,
                visible=visible,
            )
