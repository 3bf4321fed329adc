"""What agents do with letters besides answering: whose they are, and writing to third parties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.conversations.workspace import MESSAGES_SHOWN
from console.pages.conversations.workspace_reading import of_ticket
from console.pages.session import Agents, form_of, is_htmx, text_field
from console.pages.tickets.tickets import Named, refused
from console.pages.view import page, translator
from console.pages.writing.envelopes import envelope_in, files_in
from console.payloads import payload_at
from console.words.errors import error_in_words
from core.domain.content import Envelope
from core.domain.downloads import file_headers
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import MessageId, TicketId
from core.services.conversations.requesters import Whose
from core.storage.engine import storage_errors
from core.storage.queries.conversations.letters import source_of
from core.storage.queries.feed import feed_end
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console")

_SHOWN_BYTES = 200_000


@router.get("/messages/{message}/source")
async def show_source(
    request: Request, _: Agents, message: UUID, download: bool = False
) -> Response:
    """Show what a message was made of as its platform sent it: text to read, or bytes to save."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        place = await source_of(session, MessageId(message))
    raw = await payload_at(desk.files, place)
    if download:
        headers = file_headers(
            f"{message}.txt", "application/octet-stream", len(raw), may_show=False
        )
        return Response(raw, headers=headers)
    return page(
        request,
        "source.html",
        position=position,
        message=message,
        size_bytes=len(raw),
        raw=raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace"),
        is_cut=len(raw) > _SHOWN_BYTES,
    )


@router.post("/tickets/{ticket}/messages/{message}/requester")
async def choose_requester(
    request: Request, signed_in: Agents, named: Named, message: UUID
) -> Response:
    """Make the author of a letter that was passed on the requester, or who passed it on."""
    try:
        whose = Whose(text_field(await form_of(request), "whose"))
    except ValueError:
        raise InvalidInput("whose is author or forwarder") from None
    try:
        await desk_of(request).requesters.choose(named, MessageId(message), whose, signed_in.agent)
    except DeskError as error:
        return await _told(request, named, error)
    return await _to(request, named)


@router.get("/tickets/{ticket}/sides/new")
async def new_side(
    request: Request, _: Agents, named: Named, message: UUID | None = None
) -> Response:
    """Show the form that writes to a third party; `message` goes along unless unticked."""
    return await _new_side(request, named, {"messages": [] if message is None else [str(message)]})


@router.post("/tickets/{ticket}/sides")
async def begin_side(request: Request, signed_in: Agents, named: Named) -> Response:
    """Write to a third party about a ticket; the chosen messages go along."""
    form = await form_of(request)
    words = text_field(form, "text").replace("\r\n", "\n")
    try:
        passed_on = [MessageId(UUID(str(name))) for name in form.getlist("message")]
    except ValueError:
        raise InvalidInput("there is no such message") from None
    try:
        side = await desk_of(request).sides.begin(
            named,
            signed_in.agent,
            words,
            envelope_in(form) or Envelope(),
            passed_on=passed_on,
            files=files_in(form),
        )
    except InvalidInput as error:
        filled = {name: text_field(form, name) for name in ("to", "cc", "subject")}
        chosen = {"text": words, "messages": [str(name) for name in passed_on]}
        said = error_in_words(error, translator(request))
        return await _new_side(request, named, filled | chosen, said)
    return await _to(request, named, f"?side={side}")


async def _new_side(
    request: Request, ticket: TicketId, filled: Mapping[str, Any], wrong: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_ticket(request, session, ticket, MESSAGES_SHOWN)
    assert work.ticket is not None
    subject = f"Fwd: {work.conversation.subject or work.ticket.subject}"
    empty = {"to": "", "cc": "", "text": "", "messages": [], "subject": subject}
    return page(
        request,
        "side_new.html",
        status=422 if wrong else 200,
        position=work.position,
        work=work,
        filled=empty | dict(filled),
        wrong=wrong,
    )


async def _told(request: Request, ticket: TicketId, error: DeskError) -> Response:
    if not is_htmx(request):
        raise error
    status = 422 if isinstance(error, InvalidInput) else 409
    return await refused(request, ticket, error_in_words(error, translator(request)), status)


async def _to(request: Request, ticket: TicketId, query: str = "") -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
    address = f"/console/tickets/{number}{query}"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
