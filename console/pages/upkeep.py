"""What admins look after: payloads that were not understood, what is up, and what failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Admins
from console.pages.view import page
from console.words.setbacks import WORK
from core.domain.errors import NotFound
from core.storage.engine import storage_errors
from core.storage.queries.accounts.quarantine import open_quarantine, quarantined
from core.storage.queries.feed import feed_end
from core.storage.queries.setbacks import list_setbacks

router = APIRouter(prefix="/console/admin")

_SHOWN_BYTES = 20_000
_SHOWN_FOR = timedelta(days=7)


@router.get("/quarantine")
async def show_quarantine(request: Request, _: Admins) -> Response:
    """List payloads that were not understood."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        items = await open_quarantine(session)
    return page(request, "quarantine.html", position=position, items=items)


@router.get("/quarantine/{item}")
async def show_quarantined(request: Request, _: Admins, item: UUID) -> Response:
    """Show one payload as it came, as text."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        found = await quarantined(session, item)
    raw: bytes | None
    try:
        raw = await desk.files.get(found.raw_blob)
    except NotFound:
        raw = None  # the page says so
    return page(
        request,
        "quarantined.html",
        position=position,
        item=found,
        raw=None if raw is None else raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace"),
        is_cut=raw is not None and len(raw) > _SHOWN_BYTES,
        can_replay=raw is not None and desk.quarantine.can_replay(found.account),
    )


@router.post("/quarantine/{item}/replay")
async def replay(request: Request, _: Admins, item: UUID) -> Response:
    """Read a payload again, as if it came now."""
    await desk_of(request).quarantine.replay(item)
    return RedirectResponse("/console/admin/quarantine", 303)


@router.post("/quarantine/{item}/discard")
async def discard(request: Request, _: Admins, item: UUID) -> Response:
    """Take a payload off the list; it stays in the blob store."""
    await desk_of(request).quarantine.discard(item)
    return RedirectResponse("/console/admin/quarantine", 303)


@router.get("/status")
async def show_status(request: Request, _: Admins) -> Response:
    """Show which components are up."""
    desk = desk_of(request)
    found = await desk.readiness()
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        setbacks = await list_setbacks(session, datetime.now(UTC) - _SHOWN_FOR)
    return page(
        request,
        "status.html",
        position=position,
        setbacks=setbacks,
        work=WORK,
        is_ready=bool(found["ready"]),
        components={name: _state(state) for name, state in dict(found["components"]).items()},
    )


def _state(state: Any) -> bool:
    return state in (True, "up", "ok", "ready")
