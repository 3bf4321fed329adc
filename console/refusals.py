"""Keeps in the audit log what somebody who is signed in was refused, whoever refuses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from console.desk import desk_of
from core.domain.errors import Forbidden, NotedRefusal
from core.services import audit
from core.storage.engine import storage_errors

_MOST_CHARS = 300


@asynccontextmanager
async def refusals_noted(request: Request, actor: str) -> AsyncIterator[None]:
    """Let the audit log have what the block raises `Forbidden` for.

    Of each route and each `actor` once an hour, with the path that was asked for then.
    """
    try:
        yield
    except NotedRefusal:
        raise
    except Forbidden as error:
        await note_refusal(request, actor, error)
        raise


async def note_refusal(request: Request, actor: str, error: Forbidden) -> None:
    """Keep it where a page shows the `error` itself, beside what was typed."""
    asked = f"{request.method} {request.url.path}"[:_MOST_CHARS]
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        await audit.record_refusal(
            session,
            actor,
            "request.refused",
            ("request", f"{request.method} {_place(request)}"[:_MOST_CHARS], asked),
            str(error),
        )


def _place(request: Request) -> str:
    """Return the path with the names of its parts for what they are: there are only so many.

    A route knows its own end of the path, not what it is below.
    """
    own: str = getattr(request.scope.get("route"), "path", "")
    if ":path}" in own:
        return own
    asked = request.url.path.split("/")
    return "/".join(asked[: len(asked) - own.count("/")]) + own
