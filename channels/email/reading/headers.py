"""Reads header lines: folding, encoded words (RFC 2047), parameters (RFC 2231), and their decay."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from channels.email.reading import charsets
from channels.email.reading.limits import MAX_VALUE_BYTES
from channels.email.reading.plain import single_line

# A question mark inside is not allowed, but sent; the length keeps hostile headers cheap.
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?((?:[^?]|\?(?!=)){0,800})\?=", re.ASCII)
_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameterised:
    """A header such as Content-Type: a value, and parameters by their lower-case names."""

    value: str = ""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> str:
        """Return the parameter `name`, or an empty string."""
        return self.parameters.get(name, "")


def raw_text(value: bytes, charset: str = "") -> str:
    """Return a header's bytes as text: ASCII, UTF-8 (RFC 6532), `charset`, or a guess."""
    value = value[:MAX_VALUE_BYTES]
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    codec = charsets.codec_of(charset) if charset else None
    for candidate in ("utf-8", codec):
        if candidate is not None:
            try:
                return value.decode(candidate)
            except (UnicodeError, ValueError):
                continue
    return charsets.decode(value)[0]


def decode_words(value: str) -> str:
    """Return `value` with its encoded words decoded, on one line.

    Broken ones stay as they are. Neighbours are joined before they are decoded, for senders cut
    in the middle of a character.
    """
    if "=?" not in value:
        return single_line(value)
    pieces: list[str] = []
    pending: tuple[str, bytes] | None = None
    end = 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[end : match.start()]
        charset, encoding, content = match.groups()
        charset = charset.partition("*")[0]  # RFC 2231 adds a language
        decoded = _word_bytes(encoding, content)
        if pending is not None and not between.strip() and pending[0].lower() == charset.lower():
            pending = (charset, pending[1] + decoded)
        else:
            if pending is not None:
                pieces.append(charsets.decode(pending[1], pending[0])[0])
            if pending is None or between.strip():
                pieces.append(between)
            pending = (charset, decoded)
        end = match.end()
    if pending is not None:
        pieces.append(charsets.decode(pending[1], pending[0])[0])
    pieces.append(value[end:])
    return single_line("".join(pieces))


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    return base64_bytes(raw)


_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_PADDING = re.compile(rb"=+")
_MOST_PIECES = 450_000  # more than 30 MB have lines: some programs pad each of them


def base64_bytes(content: bytes) -> bytes:
    """Return what base64 `content` holds; damaged, cut and concatenated input included."""
    clean = content.translate(None, _NOT_BASE64)
    *pieces, rest = _PADDING.split(clean, maxsplit=_MOST_PIECES)
    return b"".join(map(_base64_piece, [*pieces, rest.replace(b"=", b"")]))


def _base64_piece(clean: bytes) -> bytes:
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def parameterised(value: str) -> Parameterised:
    """Read a header of the form ``value; name=text; name*0*=…``. Total."""
    pieces = _split_parameters(value)
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for piece in pieces[1 : _MOST_PARAMETERS + 1]:
        name, separator, text = piece.partition("=")
        name = name.strip().lower()
        if not separator or not name:
            continue
        text = _unquoted(text.strip())
        base, *rest = name.split("*")
        if not rest:
            plain.setdefault(name, decode_words(text))
        elif rest[0] == "":
            sections.setdefault(base, {})[0] = (True, text)
        elif rest[0].isascii() and rest[0].isdigit() and len(rest[0]) < 4:
            sections.setdefault(base, {})[int(rest[0])] = (len(rest) > 1, text)
    for base, parts in sections.items():
        plain[base] = _joined_sections([parts[index] for index in sorted(parts)])
    return Parameterised(
        value=single_line(pieces[0]).lower() if pieces else "", parameters=MappingProxyType(plain)
    )


def _split_parameters(value: str) -> list[str]:
    pieces: list[str] = []
    piece: list[str] = []
    in_quotes = escaped = False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\" and in_quotes:
            escaped = True
        elif char == '"':
            in_quotes = not in_quotes
        elif char == ";" and not in_quotes:
            pieces.append("".join(piece))
            piece = []
            continue
        piece.append(char)
    pieces.append("".join(piece))
    return pieces


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text.split(" (")[0].strip().strip("'") if "'" not in text.strip("'") else text
    end = 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return re.sub(r"\\(.)", r"\1", text[1:end])


def _joined_sections(sections: list[tuple[bool, str]]) -> str:
    charset = ""
    content = b""
    for index, (is_encoded, text) in enumerate(sections):
        if index == 0 and is_encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        content += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "surrogateescape")
    if not charset and b"=?" in content:  # both ways at once, as some programs do
        return decode_words(content.decode("utf-8", "replace"))
    return single_line(charsets.decode(content, charset)[0])
