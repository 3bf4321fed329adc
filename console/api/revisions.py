"""Optimistic locking: `ETag` names a record's state, `If-Match` asks for it (RFC 9110)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, Response

from core.domain.errors import InvalidInput

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The `ETag` that the record was read with; 412 if it was changed since.",
        max_length=100,
    ),
]

_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def give_etag(response: Response, version: int | str) -> None:
    """Name the state that `response` shows."""
    response.headers["ETag"] = f'"{version}"'


def wanted_version(if_match: str | None) -> str | None:
    """Return the state that a caller wants to change; None stands for whatever it is now.

    Raises:
        InvalidInput: the header is none that we gave.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInput("If-Match is not an ETag that was given out")
    return found[1]


def wanted_revision(if_match: str | None) -> int | None:
    """Return the revision that a caller wants to change; None stands for whatever it is now.

    Raises:
        InvalidInput: the header is none that we gave.
    """
    version = wanted_version(if_match)
    return None if version is None else int(version)
