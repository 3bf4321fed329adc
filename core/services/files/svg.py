"""Whether an SVG picture is only a picture."""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

_ACTIVE = frozenset(
    {
        "script",
        "foreignobject",
        "iframe",
        "embed",
        "object",
        "handler",
        "listener",
        "audio",
        "video",
    }
)
_LINKS = frozenset({"href", "src", "data", "action"})
_PICTURE = re.compile(r"(?:#|data:image/(?:png|jpe?g|gif|webp);base64,)", re.IGNORECASE)
_FOREIGN_STYLE = re.compile(r"@import|expression\s*\(|image-set", re.IGNORECASE)
_STYLE_LINK = re.compile(r"url\(([^)]*)", re.IGNORECASE)
_ESCAPED_STYLE = re.compile(r"\\[0-9a-f]", re.IGNORECASE)  # hides words from the rule above
_PASSED_OVER = re.compile(r"[\x00-\x20\x7f]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES_OF_PAGES = frozenset({"http", "https", "mailto", "tel"})
_PIECE_BYTES = 64 * 1024


class _Found(Exception):
    """Something in the picture is not a picture."""


def activity_in(path: Path) -> str | None:
    """Return what the SVG file at `path` would do besides being seen, or None.

    Scripts, event attributes, foreign objects, declared entities, and whatever would be loaded
    from elsewhere; a file that is not well-formed counts, because readers differ on it.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    styles: list[str] = []
    depth = {"style": 0}

    def begin(name: str, attributes: dict[str, str]) -> None:
        element = _local(name)
        if element in _ACTIVE:
            raise _Found(element)
        depth["style"] += element == "style"
        for key, value in attributes.items():
            _check(element, _local(key), value.strip())

    def end(name: str) -> None:
        if _local(name) == "style":
            depth["style"] -= 1
            _check_style("".join(styles))
            styles.clear()

    def words(data: str) -> None:
        if depth["style"]:
            styles.append(data)

    def instruction(target: str, _: str) -> None:
        raise _Found(f"the instruction {target}")

    def entity(name: str, *_: object) -> None:
        raise _Found(f"the entity {name}")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words
    parser.ProcessingInstructionHandler = instruction
    parser.EntityDeclHandler = entity
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
    except _Found as found:
        return str(found)
    except expat.ExpatError:
        return "it is not well-formed"
    return None


def _local(name: str) -> str:
    return name.rpartition(" ")[2].rpartition(":")[2].lower()


def _check(element: str, attribute: str, value: str) -> None:
    if attribute.startswith("on"):
        raise _Found(attribute)
    if attribute in _LINKS and value and not _PICTURE.match(value) and element != "a":
        raise _Found(f"{attribute} elsewhere")
    if attribute in _LINKS and element == "a" and not _leads_elsewhere(value):
        raise _Found("a link that runs a script")
    if attribute == "attributename" and _local(value) in _LINKS:
        raise _Found("an animated link")
    if attribute == "style" or "url(" in value.lower():
        _check_style(value)


def _leads_elsewhere(link: str) -> bool:
    """Say whether `link` leads to a page, or within the picture, and to nothing that is run."""
    # Browsers pass over these, wherever they stand (https://url.spec.whatwg.org/#url-parsing).
    words = _PASSED_OVER.sub("", link)
    scheme = _SCHEME.match(words)
    return scheme is None or scheme[1].lower() in _SCHEMES_OF_PAGES


def _check_style(style: str) -> None:
    links = [link.strip(" \t\r\n\f'\"") for link in _STYLE_LINK.findall(style)]
    is_foreign = _FOREIGN_STYLE.search(style) or _ESCAPED_STYLE.search(style)
    if is_foreign or not all(_PICTURE.match(link) for link in links):
        raise _Found("a style that loads from elsewhere")
