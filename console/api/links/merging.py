"""Merges of tickets in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.principal import AgentCaller
from console.api.shapes import Body, Cursor, Limit, Page, Text
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from console.sight import check_other_side, ticket_of_body
from core.storage.engine import storage_errors
from core.storage.queries.links.merges import MergedTicket, merged_into, merged_tickets

router = APIRouter(prefix="/tickets", tags=["tickets"])


class TicketMergeBody(Body):
    """Which ticket goes on in this one."""

    ticket: Annotated[Text, Field(max_length=100, description="Its id or number.")]
    tell: Annotated[bool, Field(description="Tell its requester where it goes on.")] = True


class TicketMergeOut(BaseModel):
    """A ticket that was merged into another one."""

    number: int
    subject: str
    conversation: UUID  # what is said in it arrives in the kept ticket
    channel: str | None
    requester: str | None
    at: datetime
    goes_on: bool  # false once its requester wrote after the kept ticket had ended

    @classmethod
    def of(cls, merged: MergedTicket) -> Self:
        """Return how the API shows a merged ticket."""
        return cls(
            number=merged.number,
            subject=merged.subject,
            conversation=merged.conversation.id,
            channel=merged.conversation.channel,
            requester=merged.conversation.requester.name,
            at=merged.at,
            goes_on=merged.goes_on,
        )


@router.get("/{ticket}/merges")
async def list_merges(
    request: Request,
    _: AgentCaller,
    ticket: TicketName,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TicketMergeOut]:
    """List what was merged into a ticket, over others too."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        found = await merged_tickets(session, named)
    return part_of(found, TicketMergeOut.of, cursor, limit, name=lambda one: one.ticket)


@router.post("/{ticket}/merges", status_code=201)
async def merge(
    request: Request, caller: AgentCaller, ticket: TicketName, body: TicketMergeBody
) -> Page[TicketMergeOut]:
    """Merge another ticket into this one; it is closed, and can be parted again for 30 days."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    merged = await ticket_of_body(request, caller, body.ticket)
    await desk.merging.merge(named, merged, caller, tells=body.tell)
    return await list_merges(request, caller, ticket)


@router.post("/{ticket}/unmerge", status_code=204)
async def unmerge(request: Request, caller: AgentCaller, ticket: TicketName) -> None:
    """Part a ticket that was merged from the one it is in."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        into = await merged_into(session, named)
    await check_other_side(request, caller, None if into is None else into.number)
    await desk.merging.undo(named, caller)
