"""The settings' front page, and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.audit_table import exported
from console.desk import desk_of
from console.pages.session import Readers
from console.pages.view import page
from console.rooms import sections_for
from core.domain.errors import Forbidden
from core.storage.engine import storage_errors
from core.storage.queries.audit import AuditFilter, audit_entries
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console")

_SHOWN = 100


@router.get("/settings")
async def show_settings(request: Request, signed_in: Readers) -> Response:
    """Show what can be set, by subject."""
    groups = sections_for(signed_in.agent.role)
    if not groups:
        raise Forbidden("there is nothing here that you may set")
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(request, "settings.html", position=position, groups=groups)


@router.get("/admin/audit/export.csv")
async def export_audit(
    request: Request, signed_in: Readers, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Give out what was changed as a table."""
    if not signed_in.may_audit:
        raise Forbidden("only admins and auditors may do this")
    return await exported(desk_of(request), q.replace("\x00", ""))


@router.get("/admin/audit")
async def show_audit(
    request: Request,
    signed_in: Readers,
    q: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """List what was changed in the desk, newest first."""
    if not signed_in.may_audit:
        raise Forbidden("only admins and auditors may do this")
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        entries = await audit_entries(
            session, AuditFilter(words=q.replace("\x00", "")), before=before, limit=_SHOWN + 1
        )
    return page(
        request,
        "audit.html",
        position=position,
        entries=entries[:_SHOWN],
        next=entries[_SHOWN - 1].id if len(entries) > _SHOWN else None,
        q=q,
    )
