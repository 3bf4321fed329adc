"""What changed in a ticket, in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from console.api.principal import AgentCaller
from console.api.shapes import Limit, Page
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from core.storage.engine import storage_errors
from core.storage.queries.tickets.tickets import Change, changes_before

router = APIRouter(prefix="/tickets", tags=["tickets"])


class TicketChangeOut(BaseModel):
    """One change: of a field, or something that happened, which is named in its place."""

    id: int
    field: str  # "status", "assignee", "priority", …
    old: str | None
    new: str | None
    old_name: str | None  # where the value is the id of an agent, a team, a category, an asset
    new_name: str | None
    actor: str  # "agent:<id>", "requester", "assistant", "timer", …
    actor_name: str | None  # of an agent, a rule or an incoming webhook
    by_program: bool = Field(description="Done with an API token, in the name of its agent.")
    reason: str | None
    at: datetime

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return what the API tells of `change`."""
        return cls(
            id=change.id,
            field=change.field,
            old=change.old,
            new=change.new,
            old_name=change.old_name,
            new_name=change.new_name,
            actor=change.actor,
            actor_name=change.actor_name,
            by_program=change.by_program,
            reason=change.reason,
            at=change.at,
        )


@router.get("/{ticket}/history")
async def list_changes(
    request: Request,
    _: AgentCaller,
    ticket: TicketName,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
) -> Page[TicketChangeOut]:
    """List who changed what in a ticket and when, the latest first; messages are not among it."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        found = await changes_before(session, named, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return Page(
        items=[TicketChangeOut.of(change) for change in shown],
        next=str(shown[-1].id) if len(found) > limit else None,
    )
