"""Turns a mail's HTML into a tree that is safe to work on, however broken or hostile it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree, html
from lxml.html import HtmlElement

from channels.email.reading.defects import Defects
from channels.email.reading.limits import MAX_HTML_CHARS, MAX_HTML_DEPTH, MAX_HTML_ELEMENTS

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|max-height\s*:\s*0(?![.\d])",
    re.I,
)
_NEVER_TEXT = {
    *("script", "style", "head", "title", "meta", "link", "base", "svg", "math", "object", "embed"),
    *("iframe", "frame", "frameset", "noscript", "template", "applet", "audio", "video", "canvas"),
    *("map", "select", "textarea", "xml"),
}
_FORMATTING = frozenset(
    "a b big code em font i nobr s small strike strong tt u ins del sub sup span".split()  # noqa: SIM905
)
_DEEPEST_FORMATTING = 8  # html5ever builds open ones anew in each paragraph: many would be a bomb
_MANY_ATTRIBUTES = re.compile(r"<[a-zA-Z][^<>]{4000,}")  # libxml2 compares each with each


def parse_html(text: str, defects: Defects) -> HtmlElement | None:
    """Return the root of `text`'s tree without scripts, styles and hidden parts; None if empty.

    Nothing is loaded from anywhere. The tree is no deeper and no larger than the limits.
    """
    text = text[:MAX_HTML_CHARS]
    if _MANY_ATTRIBUTES.search(text):
        text = _MANY_ATTRIBUTES.sub(_without_excess, text)
    if not text.strip():
        return None
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text)
    parser = html.HTMLParser(
        remove_comments=True, remove_pis=True, no_network=True, huge_tree=False, encoding="utf-8"
    )
    try:
        root = html.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    if not isinstance(root, HtmlElement):
        return None
    _clip(root, defects)
    _drop_what_nobody_sees(root)
    return root


def _without_excess(match: re.Match[str]) -> str:
    return (
        match.group()[:2000] if "base64" not in match.group()[:1000] else match.group()[:60] + '"'
    )


def body_of(root: HtmlElement) -> HtmlElement:
    """Return the body element of a document, or the document."""
    found = root.find("body")
    return root if found is None else found


def drop(element: HtmlElement) -> None:
    """Take `element` out of its tree; the text behind it stays."""
    if element.getparent() is not None:
        element.drop_tree()


def _drop_what_nobody_sees(root: HtmlElement) -> None:
    doomed = [
        element
        for element in root.iter(etree.Element)
        if element.tag in _NEVER_TEXT
        or element.get("hidden") is not None
        or _HIDDEN.search(element.get("style") or "")
    ]
    for element in doomed:
        if element.tag != "body":
            drop(element)


def _clip(root: HtmlElement, defects: Defects) -> None:
    depth = formatting = count = 0
    too_deep: list[HtmlElement] = []
    too_formatted: list[HtmlElement] = []
    beyond: HtmlElement | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        step = 1 if event == "start" else -1
        is_formatting = element.tag in _FORMATTING
        if step == 1:
            depth += 1
            formatting += is_formatting
            count += 1
            if depth == MAX_HTML_DEPTH:
                too_deep.append(element)
            if is_formatting and formatting > _DEEPEST_FORMATTING:
                too_formatted.append(element)
            if count > MAX_HTML_ELEMENTS:
                defects.note("HTML too long: cut")
                beyond = element
                break
        else:
            depth -= 1
            formatting -= is_formatting
    if beyond is not None:
        _cut_from(beyond)
    for element in too_deep:
        text = " ".join(_pieces(element))
        for child in list(element):
            element.remove(child)
        element.text = text
        defects.note("HTML nested too deep: flattened")
    for element in too_formatted:
        if element.getparent() is not None:
            element.drop_tag()


def _cut_from(element: HtmlElement) -> None:
    """Take `element` and all that follows it out of its tree."""
    current = element
    parent = current.getparent()
    while parent is not None:
        del parent[parent.index(current) + (current is not element) :]
        current, parent = parent, parent.getparent()


def _pieces(element: HtmlElement) -> Iterator[str]:
    for piece in element.itertext():
        if isinstance(piece, str) and piece.strip():
            yield piece
