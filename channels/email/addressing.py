"""Whom a letter may be addressed to, and which subjects are the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from channels.email.headers import checked_address, one_line
from core.domain.content import Envelope
from core.domain.errors import Rejected, WrongAddress
from core.domain.ids import Address

_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*$")
_MARKS = re.compile(
    r"^(?:(?:re|aw|sv|vs|antw|odp|rif|ref|res|fwd?|wg|tr|rv|enc|doorst|vb|i|回复|答复|返信|转发|転送)"
    r"\s*(?:\[\d+\])?\s*[:\uff1a]\s*|\[[^\[\]]{1,40}\]\s*)+",
    re.IGNORECASE,
)


def checked(envelope: Envelope, own_addresses: Collection[str]) -> Envelope:
    """Return `envelope` without the desk's own addresses, each person once, To before Cc and Bcc.

    An address may stand behind a name, in angle brackets.

    Raises:
        WrongAddress: mail cannot go to one of them.
    """
    seen: set[str] = set()
    to, cc, bcc = (
        tuple(_fresh(words, seen, own_addresses))
        for words in (envelope.to, envelope.cc, envelope.bcc)
    )
    subject = one_line(envelope.subject or "") or None
    return Envelope(to=to, cc=cc, bcc=bcc, subject=subject)


def bare_subject(subject: str) -> str:
    """Return what a subject says, without the marks of answers and lists, in one case."""
    return _MARKS.sub("", one_line(subject)).casefold()


def _fresh(
    words: Sequence[str], seen: set[str], own_addresses: Collection[str]
) -> Iterator[Address]:
    for word in words:
        bracketed = _IN_BRACKETS.search(word)
        try:
            address = checked_address(bracketed[1] if bracketed else word).lower()
        except Rejected:
            raise WrongAddress(one_line(word, 80)) from None
        local, _, domain = address.rpartition("@")
        plain = f"{local.partition('+')[0]}@{domain}"
        if address in seen or not {address, plain}.isdisjoint(own_addresses):
            continue
        seen.add(address)
        yield Address(address)
