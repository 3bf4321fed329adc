"""Single messages in the API: read, corrected and withdrawn by who wrote them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from console.api.conversations.message_shapes import MessageOut
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.content import MAX_TEXT_CHARS
from core.domain.ids import MessageId
from core.services.revisions import content_version
from core.storage.engine import storage_errors
from core.storage.queries.conversations.messages import message_named

router = APIRouter(route_class=PutBack, prefix="/messages", tags=["conversations"])


class Correction(Body):
    """What a message is to say."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


@router.get("/{message}")
async def get_message(
    request: Request, response: Response, _: AgentCaller, message: UUID
) -> MessageOut:
    """Return one message; its `ETag` names what it says."""
    return await _answer(desk_of(request), response, MessageId(message))


@router.put("/{message}")
async def correct(
    request: Request,
    response: Response,
    caller: AgentCaller,
    message: UUID,
    body: Correction,
    version: IfMatch,
) -> MessageOut:
    """Correct what one said or noted oneself (admins: what any agent did).

    Where it has left already, the platform shows the new words, if it can; what it said before
    stays in `revisions`.
    """
    desk, named = desk_of(request), MessageId(message)
    await desk.corrections.correct(named, caller, body.text, version=version)
    return await _answer(desk, response, named)


@router.delete("/{message}")
async def withdraw(
    request: Request, response: Response, caller: AgentCaller, message: UUID, version: IfMatch
) -> MessageOut:
    """Take back what one said or noted oneself (admins: what any agent did); a mark stays."""
    desk, named = desk_of(request), MessageId(message)
    await desk.corrections.withdraw(named, caller, version=version)
    return await _answer(desk, response, named)


async def _answer(desk: ConsoleDesk, response: Response, message: MessageId) -> MessageOut:
    async with storage_errors(), desk.sessions() as session:
        found = await message_named(session, message)
    tag(response, content_version(found.text))
    return MessageOut.of(found)
