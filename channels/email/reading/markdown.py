"""Writes a mail's HTML as CommonMark: what the assistant reads, and what search finds.

Characters that mean something in Markdown are not escaped: the text is read by people and
programs as often as it is rendered.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

_SPACES = re.compile(r"[ \t\n\r\f\u00a0\u200b\ufeff\u034f\u00ad\u200c]+")
_BLOCKS = frozenset(
    "address article aside body center dd div dl dt fieldset figcaption figure footer form header"  # noqa: SIM905
    " html legend li main nav section table tbody td tfoot th thead tr caption".split()
)
_PARAGRAPHS = frozenset("p ul ol blockquote pre h1 h2 h3 h4 h5 h6 hr".split())  # noqa: SIM905
_BOLD, _ITALIC = frozenset({"b", "strong"}), frozenset({"i", "em"})
_TIGHT = re.compile(r"MsoNormal|MsoListParagraph|MsoPlainText", re.I)
_ZERO_MARGIN = re.compile(r"margin(?:-bottom|-top)?\s*:\s*0", re.I)
_WIDEST_CELL = 300
_MOST_COLUMNS = 20
_DEEPEST_QUOTE = 10
_PROSE = re.compile(r"moz-(?:quote-pre|signature)")  # written as fixed text, but no code
_MANY_LINES = re.compile(r"\n{3,}")


def to_markdown(element: HtmlElement) -> str:
    """Return what `element` shows, as CommonMark with tables; blank lines are single."""
    out = _Writer()
    _write(element, out)
    return _tidy(out.result())


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.split("\n")]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


class _Writer:
    """Text in the making, which knows how many line breaks are due before the next word."""

    def __init__(self, quote_depth: int = 0) -> None:
        self._pieces: list[str] = []
        self._breaks = 0
        self._is_started = False
        self._ends_in_space = True
        self.quote_depth = quote_depth

    def text(self, words: str) -> None:
        if not words:
            return
        if self._breaks or not self._is_started:
            words = words.lstrip(" ")
            if not words:
                return
            if self._is_started:
                self._pieces.append("\n" * min(self._breaks, 3))
        elif self._ends_in_space:
            words = words.lstrip(" ")
            if not words:
                return
        self._pieces.append(words)
        self._breaks = 0
        self._is_started = True
        self._ends_in_space = words.endswith(" ")

    def verbatim(self, words: str) -> None:
        """Add a finished block; its own line breaks and spaces stay."""
        if not words:
            return
        if self._is_started:
            self._pieces.append("\n" * max(self._breaks, 1))
        self._pieces.append(words)
        self._breaks, self._is_started, self._ends_in_space = 1, True, False

    def line_break(self) -> None:
        self._breaks += 1

    def boundary(self, breaks: int) -> None:
        self._breaks = max(self._breaks, breaks)

    def result(self) -> str:
        return "".join(self._pieces)


def _write(element: HtmlElement, out: _Writer) -> None:
    tag = element.tag
    if not isinstance(tag, str):
        pass
    elif tag == "br":
        out.line_break()
    elif tag == "img":
        _write_image(element, out)
    elif tag == "hr":
        out.boundary(2)
        out.verbatim("---")
        out.boundary(2)
    elif tag in {"ul", "ol"}:
        out.boundary(2 if element.getparent() is None or element.getparent().tag != "li" else 1)
        _write_list(element, out)
        out.boundary(2)
    elif tag == "blockquote":
        out.boundary(2)
        if out.quote_depth < _DEEPEST_QUOTE:
            out.verbatim(_prefixed(_children_text(element, out.quote_depth + 1), "> "))
        else:
            _write_children(element, out)
        out.boundary(2)
    elif tag == "pre":
        out.boundary(2)
        _write_preformatted(element, out)
        out.boundary(2)
    elif tag == "table":
        out.boundary(1)
        rows = _data_rows(element)
        if rows is None:
            _write_children(element, out)
        else:
            out.boundary(2)
            out.verbatim(_table(rows))
            out.boundary(2)
        out.boundary(1)
    elif tag in _PARAGRAPHS:
        breaks = 1 if tag == "p" and _is_tight(element) else 2
        out.boundary(breaks)
        if tag[0] == "h" and (heading := _inline(element)):
            out.text(f"{'#' * int(tag[1])} {heading}")
        elif tag[0] != "h":
            _write_children(element, out)
        out.boundary(breaks)
    elif tag in _BLOCKS:
        out.boundary(1)
        _write_children(element, out)
        out.boundary(1)
    elif tag == "a":
        _write_link(element, out)
    elif tag in _BOLD or tag in _ITALIC:
        _write_emphasis(element, "**" if tag in _BOLD else "*", out)
    elif tag in {"code", "tt"} and (words := _inline(element)) and "`" not in words:
        out.text(f"`{words}`")
    else:
        _write_children(element, out)


def _write_children(element: HtmlElement, out: _Writer) -> None:
    if element.text:
        out.text(_SPACES.sub(" ", element.text))
    for child in element:
        _write(child, out)
        if child.tail:
            out.text(_SPACES.sub(" ", child.tail))


def _children_text(element: HtmlElement, quote_depth: int = 0) -> str:
    out = _Writer(quote_depth)
    _write_children(element, out)
    return _tidy(out.result())


def _inline(element: HtmlElement) -> str:
    return " ".join(_children_text(element).split())


def _is_tight(element: HtmlElement) -> bool:
    return bool(
        _TIGHT.search(element.get("class") or "") or _ZERO_MARGIN.search(element.get("style") or "")
    )


def _write_emphasis(element: HtmlElement, mark: str, out: _Writer) -> None:
    words = _children_text(element)
    inner = words.strip()
    if not inner or "\n" in inner or "*" in inner or len(inner) > 400:
        _write_children(element, out)
        return
    text = element.text or ""
    last = element[-1].tail if len(element) else element.text
    if text[:1].isspace():
        out.text(" ")
    out.text(f"{mark}{inner}{mark}")
    if (last or "")[-1:].isspace():
        out.text(" ")


def _write_link(element: HtmlElement, out: _Writer) -> None:
    target = _SPACES.sub("", element.get("href") or "")
    words = _children_text(element)
    shown = " ".join(words.split())
    scheme = target.partition(":")[0].lower()
    if scheme not in {"http", "https", "mailto", "tel"} or not shown or "\n" in words:
        _write_children(element, out)
        return
    bare = target.partition(":")[2].removeprefix("//").rstrip("/")
    if shown.rstrip("/") in {target.rstrip("/"), bare, "www." + bare} or "](" in shown:
        out.text(shown)
    elif scheme in {"mailto", "tel"}:
        address = bare.partition("?")[0]
        out.text(shown if address in shown else f"{shown} <{address}>")
    else:
        target = target.replace("(", "%28").replace(")", "%29")
        out.text(f"[{shown}]({target})")
    if ((element[-1].tail if len(element) else element.text) or "")[-1:].isspace():
        out.text(" ")


def _write_image(element: HtmlElement, out: _Writer) -> None:
    words = _SPACES.sub(" ", element.get("alt") or "").strip()[:200]
    source = (element.get("src") or "").strip().lower()
    if words:
        out.text(f"[image: {words}]" if source.startswith(("cid:", "data:")) else words)


def _write_list(element: HtmlElement, out: _Writer) -> None:
    number = 1
    start = element.get("start") or ""
    if start.isascii() and start.isdigit() and len(start) < 6:
        number = int(start)
    for item in element:
        if item.tag != "li":
            _write(item, out)
            continue
        mark = f"{number}. " if element.tag == "ol" else "- "
        number += 1
        body = _children_text(item).replace("\n\n", "\n")
        first, _, rest = body.partition("\n")
        out.boundary(1)
        out.verbatim(mark + first + ("\n" + _prefixed(rest, " " * len(mark)) if rest else ""))
        out.boundary(1)


def _write_preformatted(element: HtmlElement, out: _Writer) -> None:
    for line_break in element.iter("br"):
        line_break.text = None
        line_break.tail = "\n" + (line_break.tail or "")
    text = "".join(str(piece) for piece in element.itertext()).replace("\u00a0", " ")
    is_prose = element.get("wrap") is not None or bool(_PROSE.search(element.get("class") or ""))
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    if is_prose or len(lines) < 2:
        out.verbatim("\n".join(lines))
    else:
        out.verbatim("```\n" + "\n".join(lines) + "\n```")


def _data_rows(table: HtmlElement) -> list[list[str]] | None:
    """Return the cells of a table that shows data, or None if it only lays the page out."""
    rows: list[list[HtmlElement]] = []
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in {"td", "th"}]
        if cells:
            rows.append(cells)
    widths = {len(row) for row in rows}
    if len(rows) < 2 or len(widths) != 1 or not 2 <= max(widths) <= _MOST_COLUMNS:
        return None
    if (
        next(table.iterdescendants("table", "ul", "ol", "blockquote", "pre", "hr"), None)
        is not None
    ):
        return None
    texts = [[_inline(cell).replace("|", "\\|") for cell in row] for row in rows]
    filled = sum(bool(cell) for row in texts for cell in row)
    if any(len(cell) > _WIDEST_CELL for row in texts for cell in row) or filled * 2 < sum(
        map(len, texts)
    ):
        return None
    return texts


def _table(rows: list[list[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _prefixed(text: str, prefix: str) -> str:
    return "\n".join((prefix + line).rstrip() for line in text.split("\n")) if text else ""
