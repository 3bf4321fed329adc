"""The spam: tickets that were marked, and what blocked senders wrote since."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.tickets import Named, attempt
from console.pages.view import page
from console.places import place_in, place_of
from console.sight import sight_for
from core.domain.ids import ConversationId
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.tickets.spam import list_spam

router = APIRouter(prefix="/console")

_SHOWN = 50


@router.get("/spam")
async def show_spam(request: Request, _: Agents, before: str = "") -> Response:
    """List what was taken for spam, latest word first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        sight = await sight_for(request, session)
        found = await list_spam(
            session, sight, before=place_in(before) if before else None, limit=_SHOWN + 1
        )
    last = found[_SHOWN - 1] if len(found) > _SHOWN else None
    return page(
        request,
        "spam.html",
        position=position,
        spam=found[:_SHOWN],
        next=None if last is None else place_of(last.at, last.conversation),
    )


@router.post("/tickets/{ticket}/spam")
async def mark(request: Request, signed_in: Agents, named: Named) -> Response:
    """Mark a ticket as spam, or say that it is none."""
    form, spam = await form_of(request), desk_of(request).spam
    if text_field(form, "spam") == "no":
        return await attempt(request, named, spam.clear(named, signed_in.agent))
    blocks = text_field(form, "block") == "yes"
    return await attempt(request, named, spam.mark(named, signed_in.agent, blocks=blocks))


@router.post("/conversations/{conversation}/not-spam")
async def release(request: Request, signed_in: Agents, conversation: UUID) -> Response:
    """Bring a conversation back from the spam: it goes to the queue."""
    await desk_of(request).spam.release(ConversationId(conversation), signed_in.agent)
    return RedirectResponse("/console/spam", 303)
