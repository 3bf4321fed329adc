"""What acts on a ticket answer with: where it is now, or why not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import is_htmx
from console.pages.tickets.tickets import refused
from console.pages.view import translator
from console.words.errors import error_in_words
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import TicketId
from core.storage.engine import storage_errors
from core.storage.queries.tickets.tickets import ticket_view


async def told(request: Request, ticket: TicketId, error: DeskError) -> Response:
    """Say in the ticket's page why something was not done; elsewhere `error` is raised."""
    if not is_htmx(request):
        raise error
    status = 422 if isinstance(error, InvalidInput) else 409
    return await refused(request, ticket, error_in_words(error, translator(request)), status)


async def to_ticket(request: Request, ticket: TicketId) -> Response:
    """Lead to a ticket's page."""
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
    address = f"/console/tickets/{number}"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
