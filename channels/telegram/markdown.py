"""How CommonMark looks on Telegram, which has styles but no lists, headings or tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from channels.telegram.styled import Span, Styled
from core.domain.marks import MOST_MARKS_SENT, marks_in

_STYLES = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_SCHEMES = ("http://", "https://", "tg://")
_RULE = "———"
_INDENT = "   "


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])


def to_styled(markdown: str) -> Styled:
    """Return `markdown` as a text with styles; with more marks than people write, as it is."""
    if marks_in(markdown) > MOST_MARKS_SENT:
        return Styled(markdown, ())
    writer = _Writer()
    writer.blocks(_parser().parse(markdown))
    return writer.result()


class _Writer:
    """Collects text and the styles that are open on it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._spans: list[Span] = []
        self._open: list[tuple[str, int, str | None]] = []
        self._gap = ""  # between the last block and the next
        self._lists: list[int | None] = []  # of each open list, the next number; None for bullets
        self._is_begun = False  # a marker or quotation stands before the block
        self._quotes = 0
        self._cells = 0  # of the table's row so far

    def result(self) -> Styled:
        text = "".join(self._parts)
        return Styled(text, tuple(sorted(self._spans, key=lambda span: (span.start, -span.end))))

    def blocks(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            self._block(token)

    def _block(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._inlines(token.children or [])
            case "paragraph_open":
                self._begin()
            case "paragraph_close":
                self._gap = "\n" if token.hidden else "\n\n"
            case "heading_open":
                self._begin()
                self._enter("bold")
            case "heading_close":
                self._leave("bold")
                self._gap = "\n\n"
            case "fence" | "code_block":
                self._code_block(token)
            case "hr":
                self._begin()
                self._write(_RULE)
                self._gap = "\n\n"
            case "blockquote_open":
                self._quote(1)
            case "blockquote_close":
                self._quote(-1)
            case "bullet_list_open":
                self._open_list(None)
            case "ordered_list_open":
                self._open_list(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._gap = "\n" if self._lists else "\n\n"
            case "list_item_open":
                self._item()
            case "list_item_close":
                self._is_begun = False
                self._gap = "\n"
            case "tr_open":
                self._begin()
                self._cells = 0
            case "tr_close":
                self._gap = "\n"
            case "th_open" | "td_open":
                self._write(" | " if self._cells else "")
                self._cells += 1
            case "table_close":
                self._gap = "\n\n"
            case _:
                pass  # the other tokens of a table say nothing that its rows do not

    def _inlines(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            match token.type:
                case "text" | "html_inline" | "text_special":
                    self._write(token.content)
                case "softbreak" | "hardbreak":
                    self._write("\n" + _INDENT * len(self._lists))
                case "code_inline":
                    self._enter("code")
                    self._write(token.content)
                    self._leave("code")
                case "link_open":
                    self._enter("text_link", str(token.attrGet("href") or ""))
                case "link_close":
                    self._leave("text_link")
                case "image":
                    self._image(token)
                case kind:
                    name, _, edge = kind.rpartition("_")
                    if edge == "open":
                        self._enter(_STYLES[name])
                    else:
                        self._leave(_STYLES[name])

    def _image(self, token: Token) -> None:
        self._enter("text_link", str(token.attrGet("src") or ""))
        self._write(token.content or str(token.attrGet("src") or ""))
        self._leave("text_link")

    def _code_block(self, token: Token) -> None:
        self._begin()
        start = self._length
        self._write(token.content.rstrip("\n"))
        if self._length > start:
            language = token.info.strip().partition(" ")[0] or None
            self._spans.append(Span(kind="pre", start=start, end=self._length, language=language))
        self._gap = "\n\n"

    def _quote(self, step: int) -> None:
        # Quotations do not nest on Telegram: only the outermost is marked.
        if step > 0 and self._quotes == 0:
            self._begin()
            self._is_begun = True
            self._enter("blockquote")
        self._quotes += step
        if step < 0 and self._quotes == 0:
            self._is_begun = False
            self._leave("blockquote")
            self._gap = "\n\n"

    def _open_list(self, number: int | None) -> None:
        if self._lists:
            self._gap = "\n"
        self._lists.append(number)

    def _item(self) -> None:
        if self._is_begun and self._lists[1:]:  # a list that its parent's item begins with
            self._gap = "\n"
        self._write(self._gap if self._parts else "")
        number = self._lists[-1]
        self._write(_INDENT * (len(self._lists) - 1))
        self._write("• " if number is None else f"{number}. ")
        if number is not None:
            self._lists[-1] = number + 1
        self._is_begun = True

    def _begin(self) -> None:
        """Leave the room between blocks before the next one, unless its line has begun."""
        if not self._is_begun:
            self._write(self._gap if self._parts else "")
            self._write(_INDENT * len(self._lists))
        self._gap = ""
        self._is_begun = False

    def _write(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._length += len(text)

    def _enter(self, kind: str, url: str | None = None) -> None:
        self._open.append((kind, self._length, url))

    def _leave(self, kind: str) -> None:
        opened, start, url = self._open.pop()
        assert opened == kind
        if self._length == start:
            return
        if url is None or url.lower().startswith(_SCHEMES):
            self._spans.append(Span(kind=kind, start=start, end=self._length, url=url))
            return
        # Telegram makes links of few schemes; the others are written out.
        address = url.removeprefix("mailto:").removeprefix("tel:")
        if address and address not in "".join(self._parts)[start:]:
            self._write(f" ({address})")
