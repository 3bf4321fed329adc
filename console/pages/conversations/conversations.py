"""A conversation's workspace where it is looked at for itself: held by the assistant, or past."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.markdown import render_ahead
from console.pages.conversations.workspace import MESSAGES_SHOWN, Shown, Workspace
from console.pages.conversations.workspace_reading import of_conversation
from console.pages.session import Agents, is_htmx
from console.pages.tickets.queue import beside
from console.pages.view import page
from core.domain.ids import ConversationId
from core.storage.engine import storage_errors
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console/conversations")


@router.get("/{conversation}")
async def show_conversation(
    request: Request, signed_in: Agents, conversation: UUID, show: Shown = MESSAGES_SHOWN
) -> Response:
    """Show a conversation beside those that the assistant is holding."""
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_conversation(request, session, ConversationId(conversation), show)
        queue = await beside(request, session, signed_in.agent.id, "assistant")
    await render_ahead(work.said())
    return page(
        request,
        "conversation.html",
        position=work.position,
        work=work,
        **queue,
        opened=str(conversation),
    )


@router.get("/{conversation}/live")
async def live(
    request: Request, _: Agents, conversation: UUID, show: Shown = MESSAGES_SHOWN
) -> Response:
    """Show the parts of a workspace anew that others may have changed."""
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_conversation(request, session, ConversationId(conversation), show)
    await render_ahead(work.said())
    return live_parts(request, work, as_ticket=False)


@router.post("/{conversation}/take-over")
async def take_over(request: Request, signed_in: Agents, conversation: UUID) -> Response:
    """Take a conversation from the assistant; it gets a ticket."""
    desk = desk_of(request)
    ticket = await desk.tickets.take_over(ConversationId(conversation), signed_in.agent)
    async with storage_errors(), desk.sessions() as session:
        number = (await ticket_view(session, ticket)).number
    address = f"/console/tickets/{number}?tab=mine"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def live_parts(
    request: Request,
    work: Workspace,
    *,
    as_ticket: bool = True,
    notice: str = "",
    status: int = 200,
    **more: Any,
) -> Response:
    """Return the parts of a workspace that others may have changed, each for its own place."""
    return page(
        request,
        "parts/live.html",
        oob=True,
        status=status,
        work=work,
        as_ticket=as_ticket,
        notice=notice,
        **{"collision": None, "asked": None} | more,
    )
