"""Makes text storable and safe to show: what a database, a header or a terminal would choke on."""

from __future__ import annotations

import re

from core.domain.content import UNSTORABLE

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_LINE_BREAKS = re.compile(r"\r\n|\r|\u2028|\u2029|\x85|\x0c|\x0b")
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE, _SIGNATURE_END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
_LONGEST_HASHES = 500
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_ARMOUR_HEADER = re.compile(r"[A-Za-z][A-Za-z-]{0,40}: .*")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def storable(text: str) -> str:
    """Return `text` with line feeds for all line breaks and without controls and surrogates."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub("", unix_lines(text)))


def unix_lines(text: str) -> str:
    """Return `text` with line feeds for all kinds of line breaks."""
    return _LINE_BREAKS.sub("\n", text)


def unframed(text: str) -> str:
    """Return `text` without the frame in which OpenPGP signs what is plain to read (RFC 9580, 7).

    The signature is in the mail as it came. Where the frame is none, `text` stays as it is.
    """
    begin = text.find(_SIGNED)
    end = text.find(_SIGNATURE, begin)
    close = text.find(_SIGNATURE_END, end)
    if min(begin, end, close) == -1:
        return text
    head, *rest = _BLANK_LINE.split(text[begin + len(_SIGNED) : end], maxsplit=1)
    names = head.strip().splitlines()
    if not rest or len(head) > _LONGEST_HASHES or not all(map(_ARMOUR_HEADER.fullmatch, names)):
        return text
    (words,) = rest
    plain = re.sub(r"^- ", "", words, flags=re.MULTILINE).rstrip("\n")
    return f"{text[:begin]}{plain}{text[close + len(_SIGNATURE_END) :]}"


def single_line(text: str) -> str:
    """Return `text` on one line, with single spaces and without controls and surrogates."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", _SPACES.sub(" ", text)).strip()
