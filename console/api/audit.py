"""The audit log in the API: read by cursor, or exported as a table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from console.api.principal import AuditCaller
from console.api.shapes import Limit, Page, Text
from console.desk import desk_of
from console.heads import is_head
from console.tables.audit import FILE, exported, filter_of
from console.tables.files import table_head
from core.storage.engine import storage_errors
from core.storage.queries.audit import AuditFilter, AuditView, audit_entries

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditOut(BaseModel):
    """Something that somebody did to the desk."""

    id: int
    at: datetime
    # "agent:<id>", "rule:<id>", "hook:<id>", "approver:<e-mail>", "contact:<address>", "command" or
    # a part of the desk
    actor: str
    actor_name: str | None  # of an agent, a rule or an incoming webhook
    remote: str | None  # the network address it was done from
    action: str
    subject_kind: str
    subject_id: str
    subject_name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @classmethod
    def of(cls, entry: AuditView) -> AuditOut:
        """Return what the API tells of `entry`."""
        return cls(
            id=entry.id,
            at=entry.at,
            actor=entry.actor,
            actor_name=entry.actor_name,
            remote=entry.remote,
            action=entry.action,
            subject_kind=entry.subject_kind,
            subject_id=entry.subject_id,
            subject_name=entry.subject_name,
            old=None if entry.old is None else dict(entry.old),
            new=None if entry.new is None else dict(entry.new),
        )


def _wanted(
    q: Annotated[Text, Query(max_length=200, description="Beginnings of words of an entry.")] = "",
    actor: Annotated[
        Text, Query(max_length=60, description='Who did it: "agent:<id>", "command", …')
    ] = "",
    action: Annotated[
        Text, Query(max_length=60, description='"team.changed"; "team." is all about teams.')
    ] = "",
    first: Annotated[date | None, Query(alias="from", description="The first day, UTC.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day, UTC.")] = None,
) -> AuditFilter:
    return filter_of(q, actor, action, first, last, ZoneInfo("UTC"))


Wanted = Annotated[AuditFilter, Depends(_wanted)]


@router.get("")
async def get_entries(
    request: Request,
    _: AuditCaller,
    wanted: Wanted,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
) -> Page[AuditOut]:
    """List what was changed in the desk, newest first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await audit_entries(session, wanted, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return Page(
        items=[AuditOut.of(entry) for entry in shown],
        next=str(shown[-1].id) if len(found) > limit else None,
    )


@router.get("/export.csv", response_class=Response)
async def export(request: Request, _: AuditCaller, wanted: Wanted) -> Response:
    """Return the entries as a table that is safe to open in a spreadsheet; this is audited too."""
    if is_head(request):
        return table_head(FILE)
    return await exported(desk_of(request), wanted)
