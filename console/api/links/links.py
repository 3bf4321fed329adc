"""Links between tickets, and updates of problems, in the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.principal import AgentCaller
from console.api.shapes import Body, Cursor, Limit, Page, Text
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from console.sight import check_other_side, sight_for, ticket_of_body
from core.domain.content import MAX_TEXT_CHARS
from core.domain.links import LinkKind
from core.domain.ticket import TicketStatus
from core.storage.engine import storage_errors
from core.storage.queries.links.links import LinkView, linked_with, links_of

router = APIRouter(prefix="/tickets", tags=["tickets"])


class LinkBody(Body):
    """What the ticket is to be to another."""

    kind: Annotated[LinkKind, Field(strict=False)]
    other: Annotated[Text, Field(max_length=100, description="Its id or number.")]


class LinkOut(BaseModel):
    """A link as the ticket sees it."""

    id: UUID
    side: str  # `child`, `duplicate`, `related`, `incident`, or `has_child`, …
    number: int
    subject: str
    status: TicketStatus

    @classmethod
    def of(cls, link: LinkView) -> LinkOut:
        """Return what the API tells of `link`."""
        return cls(
            id=link.id,
            side=link.side,
            number=link.number,
            subject=link.subject,
            status=link.status,
        )


class UpdateBody(Body):
    """What to tell whoever asked for a problem or its open incidents; empty only with `solve`."""

    text: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)] = ""
    solve: bool = Field(default=False, description="Solve the problem and its incidents too.")


class UpdateOut(BaseModel):
    """How many requesters will be told."""

    told: int


@router.get("/{ticket}/links")
async def list_links(
    request: Request,
    _: AgentCaller,
    ticket: TicketName,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LinkOut]:
    """List what a ticket is to others, and they to it."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        found = await links_of(session, named, await sight_for(request, session))
    return part_of(found, LinkOut.of, cursor, limit)


@router.post("/{ticket}/links", status_code=201)
async def link(
    request: Request, caller: AgentCaller, ticket: TicketName, body: LinkBody
) -> Page[LinkOut]:
    """Link a ticket with another."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    other = await ticket_of_body(request, caller, body.other)
    await desk.links.link(named, other, body.kind, caller)
    return await list_links(request, caller, ticket)


@router.delete("/{ticket}/links/{link}", status_code=204)
async def unlink(request: Request, caller: AgentCaller, ticket: TicketName, link: UUID) -> None:
    """Take a link away."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        other = await linked_with(session, named, link)
    await check_other_side(request, caller, other)
    await desk.links.unlink(named, link, caller)


@router.post("/{ticket}/problem-updates", status_code=202)
async def update(
    request: Request, caller: AgentCaller, ticket: TicketName, body: UpdateBody
) -> UpdateOut:
    """Tell every requester of a problem's open incidents, each in their own conversation."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    return UpdateOut(told=await desk.problems.update(named, body.text, caller, solves=body.solve))
