"""CommonMark to the pieces of a Slack message: paragraphs, headings, lists, code, quotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.domain.marks import MOST_MARKS_SENT, marks_in

_LINKED = ("http://", "https://", "mailto:", "tel:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Words in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    address: str | None = None  # of a link


class Kind(StrEnum):
    """What a piece is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTATION = "quotation"
    CODE = "code"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A block of text; a list is a piece for each item."""

    kind: Kind
    runs: tuple[Run, ...] = ()
    depth: int = 0  # of an item, from 0
    number: int | None = None  # of an item in an ordered list

    @property
    def text(self) -> str:
        """The piece without its styles."""
        return "".join(run.text for run in self.runs)


def read(text: str) -> list[Piece]:
    """Return the pieces of a CommonMark text, in order.

    What has more marks than people write is one paragraph, as it was typed.
    """
    if marks_in(text) > MOST_MARKS_SENT:
        return [Piece(kind=Kind.PARAGRAPH, runs=(Run(text=text),))]
    return [piece for piece in _Reader(_parser().parse(text)).pieces() if _says_something(piece)]


@cache
def _parser() -> MarkdownIt:
    # HTML stays what it is: words. Tables are none of CommonMark's.
    return MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable("html_block")


def _says_something(piece: Piece) -> bool:
    return piece.kind is Kind.RULE or bool(piece.text.strip())


@dataclass(slots=True)
class _List:
    next_number: int | None


class _Reader:
    """Walks the tokens of one text."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lists: list[_List] = []
        self._quotes = 0
        self._is_heading = False
        self._item_is_open = False

    def pieces(self) -> Iterator[Piece]:
        for token in self._tokens:
            match token.type:
                case "bullet_list_open":
                    self._lists.append(_List(None))
                case "ordered_list_open":
                    self._lists.append(_List(int(token.attrGet("start") or 1)))
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    self._item_is_open = True
                case "blockquote_open":
                    self._quotes += 1
                case "blockquote_close":
                    self._quotes -= 1
                case "heading_open":
                    self._is_heading = True
                case "heading_close":
                    self._is_heading = False
                case "inline":
                    yield self._words(tuple(_runs(token.children or [])))
                case "fence" | "code_block":
                    yield Piece(kind=Kind.CODE, runs=(Run(text=token.content.rstrip("\n")),))
                case "hr":
                    yield Piece(kind=Kind.RULE)
                case _:
                    pass  # what only opens and closes

    def _words(self, runs: tuple[Run, ...]) -> Piece:
        if self._lists and self._item_is_open:
            self._item_is_open = False
            current = self._lists[-1]
            number = current.next_number
            if number is not None:
                current.next_number = number + 1
            return Piece(kind=Kind.ITEM, runs=runs, depth=len(self._lists) - 1, number=number)
        if self._quotes:
            return Piece(kind=Kind.QUOTATION, runs=runs)
        return Piece(kind=Kind.HEADING if self._is_heading else Kind.PARAGRAPH, runs=runs)


def _runs(children: Sequence[Token]) -> Iterator[Run]:
    style = Run(text="")
    for token in children:
        match token.type:
            case "text" | "html_inline" | "text_special":
                if token.content:
                    yield replace(style, text=token.content)
            case "code_inline":
                yield replace(style, text=token.content, code=True)
            case "softbreak" | "hardbreak":
                yield replace(style, text="\n", address=None)
            case "strong_open" | "strong_close":
                style = replace(style, bold=token.type == "strong_open")
            case "em_open" | "em_close":
                style = replace(style, italic=token.type == "em_open")
            case "s_open" | "s_close":
                style = replace(style, strike=token.type == "s_open")
            case "link_open":
                style = replace(style, address=_address(token.attrGet("href")))
            case "link_close":
                style = replace(style, address=None)
            case "image":
                address = _address(token.attrGet("src"))
                yield replace(style, text=token.content or address or "image", address=address)
            case _:
                if token.content:
                    yield replace(style, text=token.content)


def _address(value: str | int | float | None) -> str | None:
    """Return where a link leads, or None where Slack would not take it for a link."""
    address = str(value or "")
    return address if address.lower().startswith(_LINKED) and len(address) <= 3000 else None
