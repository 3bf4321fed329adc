"""When two ways to write an address mean the same one."""

from __future__ import annotations


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
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:  # no domain that exists
        return small
