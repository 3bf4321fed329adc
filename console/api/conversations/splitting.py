"""Splits of tickets in the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from console.api.principal import AgentCaller
from console.api.shapes import Body, Nothing, Text
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import TicketName, answer, ticket_called
from console.desk import desk_of
from console.sight import check_other_side
from core.domain.ids import MessageId
from core.storage.engine import storage_errors
from core.storage.queries.conversations.letters import split_off

router = APIRouter(prefix="/tickets", tags=["tickets"])


class SplitBody(Body):
    """What the other matter is about."""

    messages: Annotated[
        list[Annotated[UUID, Field(strict=False)]],
        Field(min_length=1, max_length=200, description="Ids of the ticket's messages."),
    ]
    subject: Annotated[
        Text, Field(max_length=250, description="Of the new ticket; else the first one's words.")
    ] = ""
    tell: Annotated[bool, Field(description="Tell the requester the new ticket's number.")] = True


@router.post("/{ticket}/split", status_code=201)
async def split(
    request: Request, caller: AgentCaller, ticket: TicketName, body: SplitBody
) -> TicketOut:
    """Make a ticket of its own of some of a ticket's messages; for 30 days it can be put back."""
    desk = desk_of(request)
    made = await desk.splitting.split(
        await ticket_called(desk, ticket),
        [MessageId(name) for name in body.messages],
        caller,
        subject=body.subject.strip(),
        tells=body.tell,
    )
    return await answer(desk, made)


@router.post("/{ticket}/rejoin")
async def rejoin(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> TicketOut:
    """Put what was split off back where it came from; return the ticket that it is in again."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        origin = await split_off(session, named)
    await check_other_side(request, caller, None if origin is None else origin.number)
    return await answer(desk, await desk.rejoining.rejoin(named, caller))
