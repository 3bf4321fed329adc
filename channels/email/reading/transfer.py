"""Undoes what mails are wrapped in for transport: base64, quoted-printable, uuencode."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from channels.email.reading.defects import Defects
from channels.email.reading.headers import base64_bytes
from channels.email.reading.parts import Part

_IDENTITY = re.compile(r"(7|8)-?bits?|binary|none|text/.*|plain|us-ascii|utf-?8|unknown|")
_BEGIN = re.compile(r"begin [0-7]{3,4} (\S.{0,200})")
_BEGIN_BYTES = re.compile(rb"(?:\A|\n)begin [0-7]{3,4} [^\r\n]{1,200}\r?\n")


def decoded_content(part: Part, defects: Defects) -> bytes:
    """Return the bytes of a leaf as they were before they were encoded for transport."""
    encoding = (part.header("content-transfer-encoding") or "").strip().rstrip(";").strip().lower()
    encoding = encoding.split(";")[0].split("(")[0].strip(" \"'")
    content = part.content
    if "base64" in encoding:
        return base64_bytes(content)
    if encoding in {"quoted-printable", "qp", "quotedprintable", "quoted_printable"}:
        return binascii.a2b_qp(content)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uudecoded(content, defects)
    if not _IDENTITY.fullmatch(encoding):
        defects.note("unknown transfer encoding")
    return content


def _uudecoded(content: bytes, defects: Defects) -> bytes:
    begin = _BEGIN_BYTES.search(content)
    if begin is None:
        defects.note("damaged uuencoding")
        return content
    return _uu_lines(content[begin.end() :].split(b"\n"), defects)


def _uu_lines(lines: list[bytes], defects: Defects) -> bytes:
    decoded: list[bytes] = []
    for line in lines:
        line = line.rstrip(b"\r")
        if line.strip() in {b"", b"`", b"end"}:
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some programs write one character too many; the length in front says how many count.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                defects.note("damaged uuencoding")
    return b"".join(decoded)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """A file that stood uuencoded in the text of a mail."""

    name: str
    content: bytes = field(repr=False)


def without_uuencoded(text: str, defects: Defects) -> tuple[str, list[EmbeddedFile]]:
    """Return `text` without the files uuencoded in it, and these files."""
    if "\nend" not in text or not (text.startswith("begin ") or "\nbegin " in text):
        return text, []
    files: list[EmbeddedFile] = []
    kept: list[str] = []
    lines = text.split("\n")
    index = 0
    stops = [number for number, line in enumerate(lines) if line.strip() == "end"]
    while index < len(lines):
        match = _BEGIN.fullmatch(lines[index].rstrip())
        while stops and stops[0] <= index:
            stops.pop(0)
        if match is None or not stops or not _looks_uuencoded(lines, index + 1):
            kept.append(lines[index])
            index += 1
            continue
        block = [line.encode("latin-1", "replace") for line in lines[index + 1 : stops[0]]]
        files.append(EmbeddedFile(name=match.group(1), content=_uu_lines(block, defects)))
        index = stops[0] + 1
    return "\n".join(kept), files


def _looks_uuencoded(lines: list[str], index: int) -> bool:
    line = lines[index] if index < len(lines) else ""
    if not line or not line.isascii():
        return False
    length = (ord(line[0]) - 32) & 63
    return abs(len(line) - 1 - (length + 2) // 3 * 4) <= 1
