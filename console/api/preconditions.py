"""Conditional requests (RFC 9110, section 13): revisions as entity tags."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.responses import Response

from console.problems import OutdatedRecord
from core.domain.errors import InvalidInput, Outdated


def _revision(
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` of what is changed; 412 if it is not that any more."),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    digits = tag[1:-1]
    if not (len(tag) > 2 and tag[0] == tag[-1] == '"'):
        raise InvalidInput('If-Match takes one entity tag, such as "7"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise Outdated
    return int(digits)


IfMatch = Annotated[int | None, Depends(_revision)]
"""The revision that a caller believes to change; None where they do not say."""


def tag(response: Response, revision: int) -> None:
    """Give an answer the entity tag of `revision`."""
    response.headers["ETag"] = f'"{revision}"'


@asynccontextmanager
async def showing_the_present(now: Callable[[], Awaitable[BaseModel]]) -> AsyncIterator[None]:
    """Let a refusal for an old entity tag show the record as `now` reads it.

    Raises:
        OutdatedRecord: in place of `Outdated`.
    """
    try:
        yield
    except Outdated:
        present = await now()
        raise OutdatedRecord(present.model_dump(mode="json")) from None
