"""What a file is, told by its content and not by its name."""

from __future__ import annotations

import codecs
import mimetypes
import re
from pathlib import Path

from core.domain.files import ending_of

HEAD_BYTES = 4_096
"""How much of a file tells what it is."""

_UNKNOWN = "application/octet-stream"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),  # without entries
    (b"{\\rtf", "application/rtf"),
)
_PROGRAMS = (
    (b"MZ", "exe"),
    (b"\x7fELF", "elf"),
    (b"\xfe\xed\xfa\xce", "macho"),
    (b"\xfe\xed\xfa\xcf", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xca\xfe\xba\xbe", "macho"),  # several machines in one; Java classes too
    (b"#!", "sh"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "lnk"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PROLOGUE = re.compile(r"\A\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*", re.DOTALL)
_SVG = re.compile(r"(?:<!doctype\s+svg\b|<(?:[\w.-]+:)?svg[\s>/])", re.IGNORECASE)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|iframe|title|style|meta|link|base|form|div|table|"
    r"object|embed|img|a|h1|p|br|b|font)\b",
    re.IGNORECASE,
)
_TEXT_TYPES = frozenset({"application/json", "application/xml", "message/rfc822"})
_NEVER_BY_NAME = frozenset({"text/html", "text/javascript", "text/xml"})


def program_kind(head: bytes) -> str | None:
    """Return which kind of program begins with `head`, by its usual ending; None for no program."""
    if head.startswith(b"\xca\xfe\xba\xbe") and int.from_bytes(head[4:8], "big") > 40:
        return "class"  # where a Mach-O counts its machines, a Java class has its version
    kind = next((kind for begin, kind in _PROGRAMS if head.startswith(begin)), None)
    # Words may begin with MZ too.
    return None if kind == "exe" and _words(head) is not None else kind


def media_type_of(path: Path, name: str) -> str:
    """Return the media type of the file at `path`.

    `name`, as the sender has it, decides only between types that the content cannot tell apart,
    such as the kinds of plain text.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    for begin, media_type in _SIGNATURES:
        if head.startswith(begin):
            return media_type
    if program_kind(head) not in {None, "sh"}:
        return "application/x-executable"
    words = _words(head)
    return _of_words(words, name) if words is not None else _of_bytes(path, name)


def _words(head: bytes) -> str | None:
    """Return the text that `head` begins, or None where it is no text."""
    encoding = next((codec for bom, codec in _BOMS if head.startswith(bom)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        words = decoder.decode(head)
    except UnicodeDecodeError:
        if b"\0" in head:
            return None
        words = head.decode("latin-1")
    controls = sum(c < " " and c not in "\t\n\r\f\x1b\b" for c in words)
    return None if controls else words


def _of_words(words: str, name: str) -> str:
    begin = _PROLOGUE.sub("", words, count=1)
    if _SVG.match(begin):
        return "image/svg+xml"
    if _HTML.match(begin):
        return "text/html"
    if words.startswith("#!"):
        return "text/x-script"
    guessed = mimetypes.types_map.get(f".{ending_of(name)}", "text/plain")
    if guessed in _NEVER_BY_NAME or not (guessed.startswith("text/") or guessed in _TEXT_TYPES):
        return "text/plain"
    return guessed


def _of_bytes(path: Path, name: str) -> str:
    import puremagic  # its table of signatures is read only by those who meet a strange file

    try:
        found = puremagic.magic_file(path)
    except (puremagic.PureError, ValueError):
        return _UNKNOWN
    ending = f".{ending_of(name)}"
    named = [match.mime_type for match in found if match.extension == ending and match.mime_type]
    typed = [match.mime_type for match in found if match.mime_type]
    media_type = next(iter(named or typed), _UNKNOWN)
    # What a browser would run is told above, by rules of our own; here it can only be a guess.
    return _UNKNOWN if media_type in {"text/html", "image/svg+xml"} else media_type
