"""Merging a ticket with another, and parting them again, from the head of a ticket's page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.outcomes import to_ticket, told
from console.pages.tickets.tickets import Named
from console.sight import check_other_side, ticket_in_sight
from core.domain.errors import DeskError
from core.storage.engine import storage_errors
from core.storage.queries.links.merges import merged_into

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
        return await told(request, named, error)
    return await to_ticket(request, kept)


@router.post("/{ticket}/part")
async def part(request: Request, signed_in: Agents, named: Named) -> Response:
    """Part a ticket that was merged from the one it is in."""
    async with storage_errors(), desk_of(request).sessions() as session:
        into = await merged_into(session, named)
    try:
        await check_other_side(request, signed_in.agent, None if into is None else into.number)
        await desk_of(request).merging.undo(named, signed_in.agent)
    except DeskError as error:
        return await told(request, named, error)
    return await to_ticket(request, named)
