"""Who else looks at a conversation or is writing in it."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.view import page
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import ConversationId
from core.services.writing.drafts import DraftKind
from core.storage.engine import storage_errors
from core.storage.tables import Conversation

router = APIRouter(prefix="/console/conversations")


@router.post("/{conversation}/visit")
async def come(request: Request, signed_in: Agents, conversation: UUID) -> Response:
    """Note that the agent is here and what they are writing; show who else is."""
    words = text_field(await form_of(request), "typing")
    try:
        typing = DraftKind(words) if words else None
    except ValueError:
        raise InvalidInput("somebody writes a reply or a note") from None
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        if await session.get(Conversation, conversation) is None:
            raise NotFound("there is no such conversation")
    where = ConversationId(conversation)
    visitors = await desk.visits.come(signed_in.agent.id, where, typing)
    return page(request, "parts/visitors.html", visitors=visitors)


@router.post("/{conversation}/leave")
async def leave(request: Request, signed_in: Agents, conversation: UUID) -> Response:
    """Note that the agent's page was closed or left."""
    await desk_of(request).visits.leave(signed_in.agent.id, ConversationId(conversation))
    return Response(status_code=204)
