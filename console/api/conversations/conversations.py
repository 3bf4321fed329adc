"""Conversations in the API: found, taken over, handed back, and everything said in one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from console.api.conversations.message_shapes import MessageOut
from console.api.conversations.shapes import (
    ConversationOut,
    ParticipantOut,
    WholeConversationOut,
)
from console.api.principal import AgentCaller
from console.api.shapes import Limit, Nothing, Page
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import answer
from console.desk import desk_of
from console.sight import sight_for
from core.domain.conversation import Responder
from core.domain.errors import IllegalTransition
from core.domain.ids import ContactId, ConversationId
from core.storage.engine import storage_errors
from core.storage.queries.conversations.conversations import (
    conversation_view,
    list_conversations,
    participants_of,
    tickets_of,
)
from core.storage.queries.conversations.messages import messages_before
from core.storage.queries.tickets.tickets import ticket_of_conversation

router = APIRouter(prefix="/conversations", tags=["conversations"])

_MAX_SEQ = 2**31 - 1


@router.get("")
async def find_conversations(
    request: Request,
    _: AgentCaller,
    requester: UUID | None = None,
    responder: Annotated[Responder | None, Query(description="Who answers next.")] = None,
    has_ticket: Annotated[
        bool | None, Query(description="True: those of tickets alone; false: the others.")
    ] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[ConversationOut]:
    """List conversations, begun last first; without spam."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_conversations(
            session,
            requester=None if requester is None else ContactId(requester),
            responder=responder,
            has_ticket=has_ticket,
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


@router.get("/{conversation}")
async def get_conversation(
    request: Request, _: AgentCaller, conversation: UUID
) -> WholeConversationOut:
    """Return one conversation, with who takes part."""
    named = ConversationId(conversation)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await conversation_view(session, named)
        number = (await tickets_of(session, [named])).get(named)
        others = await participants_of(session, named)
    return WholeConversationOut(
        **ConversationOut.of(found, number).model_dump(),
        participants=[ParticipantOut.of(one) for one in others],
    )


@router.post("/{conversation}/take-over")
async def take_over(
    request: Request, caller: AgentCaller, conversation: UUID, _: Nothing | None = None
) -> TicketOut:
    """Take a conversation from the assistant; it gets a ticket, which is the caller's."""
    desk = desk_of(request)
    return await answer(desk, await desk.tickets.take_over(ConversationId(conversation), caller))


@router.post("/{conversation}/hand-back")
async def hand_back(
    request: Request, caller: AgentCaller, conversation: UUID, _: Nothing | None = None
) -> TicketOut:
    """Hand a conversation back to the assistant; its ticket is solved with it."""
    desk, named = desk_of(request), ConversationId(conversation)
    async with storage_errors(), desk.sessions() as session:
        found = await conversation_view(session, named)
        ticket = await ticket_of_conversation(session, named)
    if ticket is None:
        raise IllegalTransition("conversation", found.responder, "hand back")
    await desk.tickets.return_to_bot(ticket, caller)
    return await answer(desk, ticket)


@router.get("/{conversation}/messages")
async def list_messages(
    request: Request,
    _: AgentCaller,
    conversation: UUID,
    cursor: Annotated[int | None, Query(ge=0, le=_MAX_SEQ)] = None,
    limit: Limit = 50,
) -> Page[MessageOut]:
    """List what was said, newest first; internal notes too."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await messages_before(
            session, ConversationId(conversation), before=cursor, limit=limit + 1
        )
    shown = found[:limit]
    return Page(
        items=[MessageOut.of(message) for message in shown],
        next=str(shown[-1].seq) if len(found) > limit else None,
    )
