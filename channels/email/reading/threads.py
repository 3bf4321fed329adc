"""Reads the ids that hold a thread together: Message-ID, In-Reply-To, References."""

from __future__ import annotations

import re

from channels.email.reading.headers import decode_words
from channels.email.reading.limits import MAX_REFERENCES

_BRACKETED = re.compile(r"<\s*([^<>\s][^<>]{0,990}?)\s*>")
_BARE = re.compile(r"[^\s<>,;\"'()]{1,500}@[^\s<>,;\"'()]{1,500}")


def parse_ids(value: str) -> tuple[str, ...]:
    """Return the message ids in a header value, in angle brackets, in order, each once."""
    value = decode_words(value)
    ids = [re.sub(r"\s+", "", found) for found in _BRACKETED.findall(value)]
    if not ids:
        ids = _BARE.findall(value)
    unique = list(dict.fromkeys(f"<{found}>" for found in ids))
    if len(unique) > MAX_REFERENCES:  # the first and the latest say most
        unique = [unique[0], *unique[-(MAX_REFERENCES - 1) :]]
    return tuple(unique)


def parse_message_id(value: str | None) -> str | None:
    """Return the id in a Message-ID header; a malformed one is taken as it is."""
    if value is None:
        return None
    ids = parse_ids(value)
    if ids:
        return ids[0]
    bare = re.sub(r"[\s<>]+", "", decode_words(value))[:990]
    return f"<{bare}>" if bare else None
