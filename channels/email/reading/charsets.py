"""Turns bytes into text, whatever charset a mail says, does not say, or lies about."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from types import MappingProxyType

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+()-]{0,40}")
_SAMPLE_BYTES = 8_192
_TOO_SHORT_BYTES = 200

# What senders write, and the superset that their programs really use (as browsers read it).
_REALLY: Mapping[str, str] = MappingProxyType(
    {
        "ascii": "utf-8",
        "usascii": "utf-8",
        "ansix341968": "utf-8",
        "iso646us": "utf-8",
        "utf8": "utf-8",
        "utf8mb4": "utf-8",
        "unicode11utf8": "utf-8",
        "unicode11utf7": "utf-7",
        "unicode": "utf-16",
        "latin1": "cp1252",
        "iso88591": "cp1252",
        "isolatin1": "cp1252",
        "iso8859": "cp1252",
        "iso88599": "cp1254",
        "iso885911": "cp874",
        "tis620": "cp874",
        "iso88598i": "iso8859-8",
        "iso88598e": "iso8859-8",
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "xgbk": "gb18030",
        "gb231280": "gb18030",
        "big5": "big5hkscs",
        "xxbig5": "big5hkscs",
        "shiftjis": "cp932",
        "sjis": "cp932",
        "xsjis": "cp932",
        "windows31j": "cp932",
        "ms932": "cp932",
        "xeucjp": "euc_jp",
        "iso2022jp": "iso2022_jp_ext",
        "iso2022jpms": "iso2022_jp_ext",
        "cp50220": "iso2022_jp_ext",
        "cp50221": "iso2022_jp_ext",
        "euckr": "cp949",
        "ksc56011987": "cp949",
        "ksc5601": "cp949",
        "windows949": "cp949",
        "macintosh": "mac_roman",
        "xmacroman": "mac_roman",
        "xmaccyrillic": "mac_cyrillic",
        "windows874": "cp874",
        "koi8": "koi8_r",
        "koi8ru": "koi8_u",
        "visciiviqr": "cp1258",
        "viscii": "cp1258",
    }
)
# Known to Python as codecs, but not ways to write text down.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_ONE_BYTE = re.compile(
    r"^(cp(125\d|437|85\d|86\d|874|1006|1125|720|737|775)|iso8859|koi8|mac|latin)"
)
_NO_LABEL = frozenset(
    {"", "unknown", "xunknown", "unknown8bit", "default", "binary", "8bit", "none"}
)


def codec_of(label: str) -> str | None:
    """Return the Python codec that a charset's label means, or None for one not known."""
    label = label.strip().strip("\"'").split(";")[0].strip()
    if not _LABEL.fullmatch(label):
        return None
    compact = re.sub(r"[^a-z0-9]", "", label.lower())
    name = _REALLY.get(compact)
    if name is None:
        name = re.sub(r"^(cp|windows|win|x-cp|ibm)[-_ ]*(\d)", r"cp\2", label.lower())
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text: bool = getattr(found, "_is_text_encoding", True)
    if not is_text or found.name.replace("-", "_") in _NO_CHARSETS:
        return None
    return found.name


def decode(content: bytes, label: str = "") -> tuple[str, str | None]:
    """Return `content` as text, and what was wrong with its label, if anything.

    Total: what no charset fits becomes replacement characters.
    """
    if content.isascii() and b"\x1b" not in content and b"+" not in content:
        codec = codec_of(label)
        if codec is None or not codec.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
            return content.decode("ascii"), None
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(codec, "replace"), None
    codec = codec_of(label)
    compact = re.sub(r"[^a-z0-9]", "", label.lower())
    if codec is None:
        text = _guess(content)
        return text, None if compact in _NO_LABEL else "unknown charset"
    if _ONE_BYTE.match(codec.replace("-", "").replace("_", "")):
        # Such a charset fits any bytes, UTF-8 next to none: where it fits, it is what was meant.
        as_utf8 = _strictly(content, "utf-8")
        if as_utf8 is not None and not content.isascii():
            return as_utf8, "wrong charset"
        text = content.decode(codec, "replace")
        return text, None
    fitting = _strictly(content, codec)
    if fitting is not None:
        return fitting, None
    text = content.decode(codec, "replace")
    if text.count("\N{REPLACEMENT CHARACTER}") * 50 <= len(text):
        return text, "damaged text"
    return _guess(content), "wrong charset"


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _guess(content: bytes) -> str:
    if b"\x1b$" in content or b"\x1b(J" in content:
        text = _strictly(content, "iso2022_jp_ext")
        if text is not None:
            return text
    text = _strictly(content, "utf-8")
    if text is not None:
        return text
    almost = content.decode("utf-8", "replace")
    if almost.count("\N{REPLACEMENT CHARACTER}") * 100 <= len(almost):
        return almost
    codec = _likely_codec(content)
    return content.decode(codec, "replace")


def _likely_codec(content: bytes) -> str:
    from charset_normalizer import from_bytes

    # Its work grows with the text; the first lines that are not ASCII tell as much as all of them.
    telling = b"\n".join(
        line[:400] for line in content[:400_000].splitlines() if not line.isascii()
    )[:_SAMPLE_BYTES]
    high = sum(byte > 127 for byte in telling)
    if len(telling) < 12 or (len(telling) < _TOO_SHORT_BYTES and high * 3 < len(telling)):
        return "cp1252"  # a few accents: too little to tell more
    best = from_bytes(telling, steps=3, chunk_size=512).best()
    if best is None:
        return "cp1252"
    return codec_of(best.encoding) or "cp1252"
