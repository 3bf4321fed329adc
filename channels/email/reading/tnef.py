"""Unpacks `winmail.dat`, Outlook's own envelope (MS-OXTNEF).

Own code, because the libraries loop as often as the file tells them to: four billion times, if a
sender likes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from channels.email.reading import charsets
from channels.email.reading.limits import MAX_PARTS

_SIGNATURE = 0x223E9F78
_AT_MESSAGE, _AT_ATTACHMENT = 1, 2
_BODY, _ATTACH_DATA, _ATTACH_TITLE = 0x800C, 0x800F, 0x8010
_ATTACH_BEGINS, _MESSAGE_PROPERTIES, _ATTACH_PROPERTIES, _CODEPAGE = 0x9002, 0x9003, 0x9005, 0x9007
_MOST_OBJECTS = 20_000
_MOST_PROPERTIES = 2_000

# Property tags (MS-OXPROPS).
_P_BODY, _P_HTML = 0x1000, 0x1013
_P_LONG_NAME, _P_NAME, _P_MIME, _P_CONTENT_ID, _P_DATA = 0x3707, 0x3704, 0x370E, 0x3712, 0x3701
_P_INTERNET_CODEPAGE = 0x3FDE
_TEXT, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x0102
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x0A: 4, 0x0B: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x14: 8, 0x40: 8}
_FIXED |= {0x48: 16, 0x01: 4}


class DamagedTnef(ValueError):
    """It is no TNEF, or it ends too early."""


@dataclass(slots=True, kw_only=True)
class PackedFile:
    """A file in the envelope."""

    name: str = ""
    media_type: str = ""
    content_id: str | None = None
    content: bytes = field(default=b"", repr=False)


@dataclass(slots=True, kw_only=True)
class Unpacked:
    """What was in the envelope."""

    files: list[PackedFile] = field(default_factory=list)
    text: str | None = None
    html: str | None = None


def unpack(content: bytes) -> Unpacked:
    """Return what the TNEF stream `content` holds.

    Raises:
        DamagedTnef: it cannot be read to its end.
    """
    try:
        return _unpack(content)
    except (struct.error, IndexError) as error:
        raise DamagedTnef("ends too early") from error


def _unpack(content: bytes) -> Unpacked:
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != _SIGNATURE:
        raise DamagedTnef("not TNEF")
    found = Unpacked()
    codepage = "cp1252"
    position, objects = 6, 0
    while position + 11 <= len(content):
        objects += 1
        if objects > _MOST_OBJECTS or len(found.files) > MAX_PARTS:
            raise DamagedTnef("too many objects")
        level, name, _, length = struct.unpack_from("<BHHI", content, position)
        begin = position + 9
        if begin + length + 2 > len(content):
            raise DamagedTnef("ends too early")
        value = content[begin : begin + length]
        position = begin + length + 2
        if level == _AT_ATTACHMENT:
            _add_to_file(found, name, value, codepage)
        elif name == _CODEPAGE and length >= 4:
            codepage = f"cp{struct.unpack_from('<I', value)[0]}"
        elif name == _BODY:
            found.text = charsets.decode(value.rstrip(b"\0"), codepage)[0]
        elif name == _MESSAGE_PROPERTIES:
            _read_bodies(found, _properties(value, codepage), codepage)
    return found


def _add_to_file(found: Unpacked, name: int, value: bytes, codepage: str) -> None:
    if name == _ATTACH_BEGINS or not found.files:
        found.files.append(PackedFile())
    file = found.files[-1]
    if name == _ATTACH_TITLE and not file.name:
        file.name = charsets.decode(value.rstrip(b"\0"), codepage)[0]
    elif name == _ATTACH_DATA:
        file.content = value
    elif name == _ATTACH_PROPERTIES:
        known = _properties(value, codepage)
        file.name = _string(known.get(_P_LONG_NAME) or known.get(_P_NAME)) or file.name
        file.media_type = _string(known.get(_P_MIME)) or file.media_type
        file.content_id = _string(known.get(_P_CONTENT_ID)) or file.content_id
        embedded = known.get(_P_DATA)
        if isinstance(embedded, bytes) and not file.content:
            file.content = embedded[16:]  # after the id of the kind of object


def _read_bodies(found: Unpacked, known: dict[int, str | bytes], codepage: str) -> None:
    page = known.get(_P_INTERNET_CODEPAGE)
    if isinstance(page, bytes):
        number = struct.unpack_from("<I", page)[0]
        codepage = "utf-8" if number == 65001 else f"cp{number}"
    text, html = known.get(_P_BODY), known.get(_P_HTML)
    if text:
        found.text = text if isinstance(text, str) else charsets.decode(text, codepage)[0]
    if html:
        found.html = html if isinstance(html, str) else charsets.decode(html, codepage)[0]


def _string(value: str | bytes | None) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""


def _properties(value: bytes, codepage: str) -> dict[int, str | bytes]:
    """Return the first value of each property; what is not text stays bytes."""
    known: dict[int, str | bytes] = {}
    (count,) = struct.unpack_from("<I", value)
    position = 4
    for _ in range(min(count, _MOST_PROPERTIES)):
        kind, tag = struct.unpack_from("<HH", value, position)
        position += 4
        if tag >= 0x8000:
            position = _after_name(value, position)
        is_multiple = bool(kind & 0x1000)
        kind &= ~0x1000
        values = 1
        if is_multiple or kind in (_TEXT, _UNICODE, _OBJECT, _BINARY):
            (values,) = struct.unpack_from("<I", value, position)
            position += 4
        if values > _MOST_PROPERTIES:
            raise DamagedTnef("too many values")
        for _ in range(values):
            item, position = _value(value, position, kind, codepage)
            known.setdefault(tag, item)
    return known


def _after_name(value: bytes, position: int) -> int:
    (kind,) = struct.unpack_from("<I", value, position + 16)
    position += 20
    (length,) = struct.unpack_from("<I", value, position)
    return position + 4 if kind == 0 else position + 4 + length + -length % 4


def _value(value: bytes, position: int, kind: int, codepage: str) -> tuple[str | bytes, int]:
    if kind in _FIXED:
        size = _FIXED[kind]
        if position + size > len(value):
            raise DamagedTnef("ends too early")
        return value[position : position + size], position + size
    if kind not in (_TEXT, _UNICODE, _OBJECT, _BINARY):
        raise DamagedTnef("unknown kind of property")
    (length,) = struct.unpack_from("<I", value, position)
    position += 4
    if position + length > len(value):
        raise DamagedTnef("ends too early")
    item = value[position : position + length]
    position += length + -length % 4
    if kind == _TEXT:
        return charsets.decode(item.rstrip(b"\0"), codepage)[0], position
    if kind == _UNICODE:
        return item.decode("utf-16-le", "replace").rstrip("\0"), position
    return item, position
