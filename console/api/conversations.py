"""Conversations in the API: everything said in one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from console.api.message_shapes import MessageOut
from console.api.principal import AgentCaller
from console.api.shapes import Limit, Page
from console.desk import desk_of
from core.domain.ids import ConversationId
from core.storage.engine import storage_errors
from core.storage.queries.conversations import messages_before

router = APIRouter(prefix="/conversations", tags=["conversations"])

_MAX_SEQ = 2**31 - 1


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
