"""How DNS has a domain that people write in their own script, and which addresses are the same."""

from __future__ import annotations

import idna


def comparable(address: str) -> str:
    """Return `address` as it compares: in small letters, a domain as DNS has it (`xn--…`).

    Mail servers report on the ASCII form of an address that people wrote in their own script.
    What is no mail address compares as it is.
    """
    small = address.strip().lower()
    local, at, domain = small.rpartition("@")
    if not at or domain.isascii():
        return small
    try:
        return f"{local}@{ascii_domain(domain)}"
    except UnicodeError:  # no domain that exists
        return small


def ascii_domain(domain: str) -> str:
    """Return `domain` as DNS has it, by IDNA 2008 (RFC 5891); one in ASCII as it is.

    Raises:
        UnicodeError: there can be no such domain.
    """
    # Python's own codec has the IDNA of 2003, by which `straße.de` is somebody else's `strasse.de`.
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
