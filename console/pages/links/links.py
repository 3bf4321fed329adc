"""Links of a ticket, and updates to all requesters of a problem, from the details pane."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.tickets import Named, attempt
from console.sight import check_other_side, ticket_in_sight
from console.words.links import LINK
from core.domain.errors import InvalidInput, NotFound
from core.domain.links import LinkKind
from core.storage.engine import storage_errors
from core.storage.queries.links.links import linked_with

router = APIRouter(prefix="/console/tickets")


@router.post("/{ticket}/links")
async def link(request: Request, signed_in: Agents, named: Named) -> Response:
    """Link the ticket with another, or take a link away."""
    form = await form_of(request)
    links = desk_of(request).links
    gone = text_field(form, "remove")
    if gone:
        try:
            link_id = UUID(gone)
        except ValueError:
            raise InvalidInput("there is nothing of this id") from None
        async with storage_errors(), desk_of(request).sessions() as session:
            other_end = await linked_with(session, named, link_id)
        await check_other_side(request, signed_in.agent, other_end)
        return await attempt(request, named, links.unlink(named, link_id, signed_in.agent))
    kind = text_field(form, "kind")
    if kind not in LINK:
        raise InvalidInput("there is no such link")
    try:
        other = await ticket_in_sight(request, signed_in.agent, text_field(form, "number"))
    except NotFound:
        raise InvalidInput("there is no such ticket") from None
    work = links.link(named, other, LinkKind(kind), signed_in.agent)
    return await attempt(request, named, work)


@router.post("/{ticket}/problem")
async def update(request: Request, signed_in: Agents, named: Named) -> Response:
    """Tell all requesters of the problem's incidents, and solve those if wanted."""
    form = await form_of(request)
    words = text_field(form, "text").replace("\r\n", "\n")
    solves = text_field(form, "solve") == "yes"
    work = desk_of(request).problems.update(named, words, signed_in.agent, solves=solves)
    return await attempt(request, named, work)
