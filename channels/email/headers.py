"""What may stand in a header of ours: one line of text, and addresses that are addresses."""

from __future__ import annotations

import re
import unicodedata

from core.domain.addresses import ascii_domain
from core.domain.errors import Rejected

LOOP = "X-Ventanilla-Loop"
"""Carries the account's signed mark on everything it sends."""

_BREAKS = re.compile(r"\s+")
_LONGEST_LINE = 250
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, with erratum 1690
_ADDRESS = re.compile(r"^[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]+@[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]+$")
_REPLY_MARK = re.compile(
    r"^(?:(?:re|aw|sv|vs|antw|odp|rif|ref|res|回复|答复|返信)\s*(?:\[\d+\])?\s*[::]\s*)+",
    re.IGNORECASE,
)


def one_line(words: str, longest: int = _LONGEST_LINE) -> str:
    """Return `words` without line breaks, control and direction-changing characters."""
    kept = "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in words
        if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"} or c in "\u200d\u200c"
    )
    line = _BREAKS.sub(" ", kept).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def reply_subject(subject: str | None, otherwise: str) -> str:
    """Return the subject of an answer to `subject`: one "Re:", whatever was there before."""
    bare = _REPLY_MARK.sub("", one_line(subject or ""))
    return f"Re: {bare}" if bare else otherwise


def checked_address(address: str) -> str:
    """Return `address` if it is one that can stand in a header and an envelope.

    Raises:
        Rejected: it is not, so nothing can be sent there.
    """
    word = address.strip()
    if _ADDRESS.fullmatch(word) is None or len(word) > _LONGEST_ADDRESS or not word.isprintable():
        raise Rejected(f"{one_line(word, 80)!r} is no address that mail can be sent to")
    local, _, domain = word.rpartition("@")
    try:
        domain = ascii_domain(domain)
    except UnicodeError:
        raise Rejected(f"{one_line(word, 80)!r} has no domain that exists") from None
    if not local.isascii():
        raise Rejected(f"{one_line(word, 80)!r} needs SMTPUTF8, which few servers take")
    return f"{local}@{domain}"
