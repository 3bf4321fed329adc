"""Splitting a ticket in which two matters are talked about, and putting it back together."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.conversations.workspace import MOST_MESSAGES
from console.pages.conversations.workspace_reading import of_ticket
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.outcomes import to_ticket, told
from console.pages.tickets.tickets import Named
from console.pages.view import page, translator
from console.sight import check_other_side
from console.words.errors import error_in_words
from core.domain.errors import Conflict, DeskError, InvalidInput, NotFound
from core.domain.ids import MessageId, TicketId
from core.storage.engine import storage_errors
from core.storage.queries.conversations.letters import split_off
from core.storage.queries.conversations.messages import latest_messages, said_since_earlier

router = APIRouter(prefix="/console/tickets/{ticket}")


@router.get("/split")
async def show_choice(
    request: Request, _: Agents, named: Named, message: UUID | None = None
) -> Response:
    """Show what was said, to choose what the other matter is about; `message` is chosen already."""
    return await _choice(request, named, [] if message is None else [str(message)], tells=True)


@router.post("/split")
async def split(request: Request, signed_in: Agents, named: Named) -> Response:
    """Make a ticket of its own of the chosen messages, and show it."""
    form = await form_of(request)
    chosen = [str(name) for name in form.getlist("message")]
    subject, tells = text_field(form, "subject").strip(), text_field(form, "tell") == "yes"
    try:
        ticket = await desk_of(request).splitting.split(
            named, _named(chosen), signed_in.agent, subject=subject, tells=tells
        )
    except (InvalidInput, NotFound, Conflict) as error:
        said = error_in_words(error, translator(request))
        status = 409 if isinstance(error, Conflict) else 422
        return await _choice(
            request, named, chosen, subject=subject, tells=tells, wrong=said, status=status
        )
    return await to_ticket(request, ticket)


@router.post("/messages/{message}/split")
async def split_letter(
    request: Request, signed_in: Agents, named: Named, message: UUID
) -> Response:
    """Make a ticket of its own of a letter, and of what came after it if that is chosen."""
    with_later = text_field(await form_of(request), "later") == "yes"
    try:
        ticket = await desk_of(request).splitting.split_at(
            named, MessageId(message), signed_in.agent, with_later=with_later
        )
    except DeskError as error:
        return await told(request, named, error)
    return await to_ticket(request, ticket)


@router.post("/rejoin")
async def rejoin(request: Request, signed_in: Agents, named: Named) -> Response:
    """Put what was split off back where it came from."""
    async with storage_errors(), desk_of(request).sessions() as session:
        origin = await split_off(session, named)
    try:
        await check_other_side(request, signed_in.agent, None if origin is None else origin.number)
        ticket = await desk_of(request).rejoining.rejoin(named, signed_in.agent)
    except DeskError as error:
        return await told(request, named, error)
    return await to_ticket(request, ticket)


def _named(chosen: Collection[str]) -> list[MessageId]:
    try:
        return [MessageId(UUID(name)) for name in chosen]
    except ValueError:
        raise NotFound("there is no such message") from None


async def _choice(
    request: Request,
    ticket: TicketId,
    chosen: Collection[str],
    *,
    tells: bool,
    subject: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_ticket(request, session, ticket, 1)
        own = await said_since_earlier(session, ticket)
        said = await latest_messages(session, work.main.id, limit=MOST_MESSAGES, until=own)
    return page(
        request,
        "split.html",
        status=status,
        position=work.position,
        work=work,
        messages=said[::-1],
        chosen=chosen,
        subject=subject,
        tells=tells,
        wrong=wrong,
    )
