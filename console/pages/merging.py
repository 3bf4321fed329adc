"""Merging a ticket with another, and parting them again, from the head of a ticket's page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, is_htmx, text_field
from console.pages.tickets import Named, refused
from console.pages.view import translator
from console.sight import check_other_side, ticket_in_sight
from console.words import error_in_words
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import TicketId
from core.storage.engine import storage_errors
from core.storage.queries.merges import merged_into
from core.storage.queries.tickets import ticket_view

router = APIRouter(prefix="/console/tickets")


@router.post("/{ticket}/merge")
async def merge(request: Request, signed_in: Agents, named: Named) -> Response:
    """Merge another ticket into this one, or this one into it; show the one that is left."""
    form = await form_of(request)
    try:
        other = await ticket_in_sight(request, signed_in.agent, text_field(form, "number"))
        kept, merged = (other, named) if text_field(form, "into") == "other" else (named, other)
        tells = text_field(form, "tell") == "yes"
        await desk_of(request).merging.merge(kept, merged, signed_in.agent, tells=tells)
    except DeskError as error:
        return await _told(request, named, error)
    return await _to(request, kept)


@router.post("/{ticket}/part")
async def part(request: Request, signed_in: Agents, named: Named) -> Response:
    """Part a ticket that was merged from the one it is in."""
    async with storage_errors(), desk_of(request).sessions() as session:
        into = await merged_into(session, named)
    try:
        await check_other_side(request, signed_in.agent, None if into is None else into.number)
        await desk_of(request).merging.undo(named, signed_in.agent)
    except DeskError as error:
        return await _told(request, named, error)
    return await _to(request, named)


async def _told(request: Request, ticket: TicketId, error: DeskError) -> Response:
    if not is_htmx(request):
        raise error
    status = 422 if isinstance(error, InvalidInput) else 409
    return await refused(request, ticket, error_in_words(error, translator(request)), status)


async def _to(request: Request, ticket: TicketId) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
    address = f"/console/tickets/{number}"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
