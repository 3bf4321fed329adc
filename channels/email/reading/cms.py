"""Looks into S/MIME's envelopes (RFC 5652, 8551): is it locked, or does it only bear a signature?

Nothing is verified or decrypted. Written for hostile input: lengths are those of ASN.1's basic
rules, definite or not, and each byte is looked at a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from channels.email.reading.defects import Defects
from channels.email.reading.parts import Part, take_apart
from channels.email.reading.transfer import decoded_content

MEDIA_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PKCS7 = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"  # 1.2.840.113549.1.7
_SIGNED, _ENVELOPED = b"\x02", b"\x03"
_AUTH_ENVELOPED = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"
_HEAD_BYTES = 40  # in which the kind of content is named
_SEQUENCE, _SET, _INTEGER, _OID, _CONTENT = 0x30, 0x31, 0x02, 0x06, 0xA0
_OCTETS, _OCTETS_IN_PIECES = 0x04, 0x24
_MOST_ELEMENTS = 50_000
_MOST_LAYERS = 6  # each of which may be a mail to be taken apart


class _Damaged(ValueError):
    """It ends too early, or is no such structure."""


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    start: int  # of its content
    end: int | None  # None: where its end mark stands


def is_envelope(part: Part) -> bool:
    """Return whether a part is one of S/MIME's envelopes, by its type or its name."""
    name = (part.disposition.get("filename") or part.type.get("name")).lower()
    return part.media_type in MEDIA_TYPES or name == "smime.p7m"


def is_locked(content: bytes) -> bool:
    """Return whether an envelope is encrypted."""
    head = content[:_HEAD_BYTES]
    return _PKCS7 + _ENVELOPED in head or _AUTH_ENVELOPED in head


def open_envelopes(root: Part, defects: Defects) -> None:
    """Make what is only signed a child of its envelope; an envelope in an envelope stays closed."""
    for part in list(root.walk()):
        if part.media_type.startswith("multipart/") or not is_envelope(part):
            continue
        content = decoded_content(part, defects)
        if not _is_signed(content):
            continue
        if part.budget.envelopes <= 0:
            defects.over_limits("too many signed envelopes")
            return
        part.budget.envelopes -= 1
        signed = signed_content(content)
        if signed is not None:
            part.children.append(take_apart(signed, defects, within=part))


def entity_of(root: Part) -> Part:
    """Return what a mail is without the opened envelope around all of it."""
    is_opened = bool(root.children) and not root.media_type.startswith("multipart/")
    return root.children[0] if is_opened else root


def signed_entities(root: Part) -> Iterator[Part]:
    """Yield what signatures of a mail are around, from the outside in, once envelopes are open.

    Its header may be kept there, where a signature protects it (RFC 9788; RFC 8551, 3.1, in the
    form of a mail within the mail).
    """
    part = root
    for _ in range(_MOST_LAYERS):
        within = _within(part)
        if within is None:
            return
        yield within
        part = within


def _within(part: Part) -> Part | None:
    if part.media_type == "message/rfc822":
        if part.type.get("forwarded").lower() != "no":
            return None  # passed on: what another mail's header says is not of this one
        unread = Defects()  # noted of the mail as a whole already, as far as that is read
        return take_apart(decoded_content(part, unread), unread, within=part)
    if not part.children:
        return None
    first = part.children[0]
    if part.media_type == "multipart/signed" or not part.media_type.startswith("multipart/"):
        return first
    # Lists and relays put their own words beneath what is signed.
    is_around = first.media_type == "multipart/signed" or (is_envelope(first) and first.children)
    return first if is_around else None


def signed_content(content: bytes) -> bytes | None:
    """Return the entity that an envelope holds beside its signature; None where it has none."""
    if not _is_signed(content):
        return None
    try:
        return _Walk(content).to_signed_content()
    except _Damaged:
        return None


def _is_signed(content: bytes) -> bool:
    return _PKCS7 + _SIGNED in content[:_HEAD_BYTES]


class _Walk:
    """One way through a structure, with a limit of elements looked at."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = _MOST_ELEMENTS

    def to_signed_content(self) -> bytes:
        at = self._into(0, _SEQUENCE)
        at = self._into(self._over(at, _OID), _CONTENT)
        at = self._into(at, _SEQUENCE)
        at = self._over(self._over(at, _INTEGER), _SET)
        at = self._into(at, _SEQUENCE)
        at = self._into(self._over(at, _OID), _CONTENT)
        octets = self._element(at)
        if octets.tag == _OCTETS and octets.end is not None:
            return self._content[octets.start : octets.end]
        if octets.tag != _OCTETS_IN_PIECES:
            raise _Damaged
        pieces = []
        at = octets.start
        while not self._is_over(at, octets.end):
            piece = self._element(at)
            if piece.tag != _OCTETS or piece.end is None:
                raise _Damaged
            pieces.append(self._content[piece.start : piece.end])
            at = piece.end
        return b"".join(pieces)

    def _element(self, at: int) -> _Element:
        self._left -= 1
        if self._left < 0 or at + 2 > len(self._content):
            raise _Damaged
        tag, length, start = self._content[at], self._content[at + 1], at + 2
        if length == 0x80:
            return _Element(tag, start, None)
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(self._content[start : start + size], "big")
            start += size
        if start + length > len(self._content):
            raise _Damaged
        return _Element(tag, start, start + length)

    def _into(self, at: int, tag: int) -> int:
        element = self._element(at)
        if element.tag != tag:
            raise _Damaged
        return element.start

    def _over(self, at: int, tag: int) -> int:
        element = self._element(at)
        if element.tag != tag:
            raise _Damaged
        if element.end is not None:
            return element.end
        open_ones, at = 1, element.start
        while open_ones:
            if self._is_over(at, None):
                open_ones, at = open_ones - 1, at + 2
                continue
            inner = self._element(at)
            if inner.end is None:
                open_ones, at = open_ones + 1, inner.start
            else:
                at = inner.end
        return at

    def _is_over(self, at: int, end: int | None) -> bool:
        return at >= end if end is not None else self._content[at : at + 2] == b"\0\0"
