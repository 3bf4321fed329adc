"""Spam in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from console.api.principal import AgentCaller
from console.api.shapes import Body, Cursor, Limit, Page
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import TicketName, answer, ticket_called
from console.desk import desk_of
from console.places import place_in, place_of
from console.sight import sight_for
from core.domain.ids import ConversationId
from core.storage.engine import storage_errors
from core.storage.queries.tickets.spam import SpamView, list_spam

router = APIRouter(tags=["tickets"])


class SpamBody(Body):
    """Whether what the sender writes later is spam too."""

    block: Annotated[bool, Field(description="Keep the sender's later messages as spam.")] = False


class SpamOut(BaseModel):
    """A conversation that is spam."""

    conversation: UUID
    ticket: int | None  # the number of the one that was marked; null: the sender was blocked
    account: str
    channel: str | None
    sender: str
    address: str | None
    blocked: bool
    subject: str | None
    last_words: str
    at: datetime

    @classmethod
    def of(cls, spam: SpamView) -> Self:
        """Return how the API shows it."""
        return cls(
            conversation=spam.conversation,
            ticket=spam.ticket,
            account=spam.account,
            channel=spam.channel,
            sender=spam.sender,
            address=spam.address,
            blocked=spam.is_blocked,
            subject=spam.subject,
            last_words=spam.last_words,
            at=spam.at,
        )


@router.get("/spam")
async def find_spam(
    request: Request,
    _: AgentCaller,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SpamOut]:
    """List what was taken for spam, latest word first."""
    before = None if cursor is None else place_in(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_for(request, session)
        found = await list_spam(session, sight, before=before, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[SpamOut.of(one) for one in found[:limit]],
        next=None if last is None else place_of(last.at, last.conversation),
    )


@router.post("/tickets/{ticket}/spam")
async def mark(
    request: Request, caller: AgentCaller, ticket: TicketName, body: SpamBody
) -> TicketOut:
    """Close a ticket as spam; its requester hears nothing."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.spam.mark(named, caller, blocks=body.block)
    return await answer(desk, named)


@router.delete("/tickets/{ticket}/spam")
async def clear(request: Request, caller: AgentCaller, ticket: TicketName) -> TicketOut:
    """Say that a ticket is no spam: it is what it was, and its sender is heard again."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.spam.clear(named, caller)
    return await answer(desk, named)


@router.delete("/conversations/{conversation}/spam")
async def release(request: Request, caller: AgentCaller, conversation: UUID) -> TicketOut:
    """Bring a conversation without a ticket back from the spam; return the ticket it gets."""
    desk = desk_of(request)
    return await answer(desk, await desk.spam.release(ConversationId(conversation), caller))
