"""What is said to third parties beside a ticket, in the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from console.api.conversations.message_shapes import MessageOut
from console.api.conversations.shapes import ConversationOut
from console.api.principal import AgentCaller
from console.api.shapes import Limit, Page
from console.api.tickets.shapes import EnvelopeBody, Reply
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from console.sight import sight_for
from core.domain.ids import ConversationId, MessageId, TicketId, UploadId
from core.storage.engine import storage_errors
from core.storage.queries.conversations.conversations import (
    conversation_view,
    list_conversations,
    tickets_of,
)
from core.storage.queries.conversations.messages import message_named
from core.storage.queries.links.merges import beneath
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/tickets", tags=["tickets"])


class NewSide(Reply):
    """A letter to somebody else about a ticket."""

    envelope: Annotated[
        EnvelopeBody,
        Field(examples=[{"to": ["care@supplier.example"], "subject": "Fwd: The VPN is broken"}]),
    ]
    messages: Annotated[
        list[Annotated[UUID, Field(strict=False)]],
        Field(max_length=50, description="Of the ticket: their words and files go along."),
    ] = Field(default_factory=list)


class SideReply(Reply):
    """What to write on; without an envelope it goes to those who take part."""

    envelope: EnvelopeBody | None = None


@router.get("/{ticket}/sides")
async def list_sides(
    request: Request,
    _: AgentCaller,
    ticket: TicketName,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[ConversationOut]:
    """List the conversations that are held beside a ticket, begun last first."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        main = (await ticket_view(session, named)).conversation
        found = await list_conversations(
            session,
            beside=(await beneath(session, [named]))[named] | {main},
            sight=await sight_for(request, session),
            before=None if cursor is None else ConversationId(cursor),
            limit=limit + 1,
        )
        shown = found[:limit]
        numbers = await tickets_of(session, [one.id for one in shown])
    return Page(
        items=[ConversationOut.of(one, numbers.get(one.id)) for one in shown],
        next=str(shown[-1].id) if len(found) > limit else None,
    )


@router.post("/{ticket}/sides", status_code=201)
async def begin_side(
    request: Request, caller: AgentCaller, ticket: TicketName, body: NewSide
) -> ConversationOut:
    """Write to somebody else about a ticket; its requester never sees it."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    side = await desk.sides.begin(
        named,
        caller,
        body.text,
        body.envelope.envelope(),
        passed_on=[MessageId(one) for one in body.messages],
        files=[UploadId(one) for one in body.files],
    )
    return await _side(request, named, side)


@router.post("/{ticket}/sides/{conversation}/replies", status_code=201)
async def reply_in_side(
    request: Request,
    caller: AgentCaller,
    ticket: TicketName,
    conversation: UUID,
    body: SideReply,
) -> MessageOut:
    """Write on in a conversation that is held beside a ticket."""
    desk = desk_of(request)
    said = await desk.sides.say(
        await ticket_called(desk, ticket),
        ConversationId(conversation),
        caller,
        body.text,
        None if body.envelope is None else body.envelope.envelope(),
        files=[UploadId(one) for one in body.files],
    )
    async with storage_errors(), desk.sessions() as session:
        return MessageOut.of(await message_named(session, said))


async def _side(request: Request, ticket: TicketId, side: ConversationId) -> ConversationOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
        return ConversationOut.of(await conversation_view(session, side), number)
