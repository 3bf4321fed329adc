"""A ticket's workspace and everything an agent does there."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.markdown import render_ahead
from console.pages.conversations.conversations import live_parts
from console.pages.conversations.workspace import MESSAGES_SHOWN, Shown
from console.pages.conversations.workspace_reading import of_ticket
from console.pages.session import Agents, form_of, is_htmx, text_field
from console.pages.tickets.queue import beside
from console.pages.view import page, translator
from console.pages.writing.drafts import drafts_json
from console.sight import sight_for
from console.words.errors import error_in_words
from console.words.states import STATUS
from core.domain.channel import Verdict
from core.domain.errors import DeskError, InvalidInput, NotFound, TakenAlready
from core.domain.ids import (
    AgentId,
    ConversationId,
    MessageId,
    TeamId,
    TicketId,
)
from core.domain.teams import Onward
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.services.tickets.tickets import Holder
from core.services.writing.drafts import drafts_of
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.feed import feed_end
from core.storage.queries.links.links import links_of
from core.storage.queries.links.merges import message_of_ticket
from core.storage.queries.tickets.tickets import ticket_named, ticket_view

router = APIRouter(prefix="/console/tickets")


async def _named(request: Request, ticket: Annotated[str, Path(max_length=100)]) -> TicketId:
    async with storage_errors(), desk_of(request).sessions() as session:
        return await ticket_named(session, ticket.replace("\x00", ""))


Named = Annotated[TicketId, Depends(_named)]


@router.get("/{ticket}")
async def show_ticket(
    request: Request,
    signed_in: Agents,
    named: Named,
    tab: str | None = None,
    show: Shown = MESSAGES_SHOWN,
    side: UUID | None = None,
) -> Response:
    """Show a ticket beside the queue it was chosen from, or what is said beside it with others."""
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_ticket(request, session, named, show, _conversation(side))
        queue = await beside(request, session, signed_in.agent.id, tab)
        drafts = await drafts_of(session, signed_in.agent.id, work.conversation.id)
    await desk_of(request).notices.read_of(signed_in.agent.id, named)
    await render_ahead(work.said())
    assert work.ticket is not None
    return page(
        request,
        "workspace.html",
        position=work.position,
        work=work,
        drafts=drafts_json(drafts),
        **queue,
        opened=str(work.ticket.number),
    )


@router.get("/{ticket}/live")
async def live(request: Request, _: Agents, named: Named, show: Shown = MESSAGES_SHOWN) -> Response:
    """Show the parts of a workspace anew that others may have changed."""
    return await parts_of(request, named, show)


@router.post("/{ticket}/take")
async def take(request: Request, signed_in: Agents, named: Named) -> Response:
    """Take the ticket; where somebody else was first, say who."""
    try:
        await desk_of(request).tickets.take(named, signed_in.agent)
    except TakenAlready as error:
        said = error_in_words(error, translator(request))
        return await refused(request, named, said, 409)
    return await _done(request, named)


@router.post("/{ticket}/assign")
async def assign(request: Request, signed_in: Agents, named: Named) -> Response:
    """Give the ticket to a colleague, or put it back in the queue."""
    desk = desk_of(request)
    form = await form_of(request)
    chosen = text_field(form, "agent")
    seen = holder_in(text_field(form, "holder")) if "holder" in form else None
    assignee: AgentId | None = None
    if chosen:
        async with storage_errors(), desk.sessions() as session:
            assignee = await agent_named(session, chosen)
    work = desk.tickets.assign(named, assignee, signed_in.agent, seen=seen)
    return await attempt(request, named, work)


@router.post("/{ticket}/escalate")
async def escalate(request: Request, signed_in: Agents, named: Named) -> Response:
    """Send the ticket on: to the next level, the team's lead, or another team."""
    form = await form_of(request)
    to = text_field(form, "to")
    onward = Onward(to) if to in list(Onward) else _team(to)
    escalations = desk_of(request).staffing.escalations
    work = escalations.escalate(named, onward, text_field(form, "reason"), signed_in.agent)
    return await attempt(request, named, work)


@router.post("/{ticket}/status")
async def set_status(request: Request, signed_in: Agents, named: Named) -> Response:
    """Set the ticket's status."""
    form = await form_of(request)
    status = status_in(text_field(form, "status"))
    anyway = text_field(form, "anyway") == "yes"
    numbers = [] if anyway else await parts_left_open(request, named, status)
    if numbers and is_htmx(request):
        return await parts_of(request, named, shown_in(request), status=409, asked=status)
    if numbers:
        return await _ask(request, named, status, numbers)
    tickets = desk_of(request).tickets
    return await attempt(request, named, tickets.set_status(named, status, signed_in.agent))


@router.post("/{ticket}/follow-up")
async def follow_up(request: Request, signed_in: Agents, named: Named) -> Response:
    """Open a ticket that follows this closed one, and go there."""
    try:
        ticket = await desk_of(request).tickets.follow_up(named, signed_in.agent)
    except DeskError as error:
        if not is_htmx(request):
            raise
        return await refused(request, named, error_in_words(error, translator(request)), 409)
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
    address = f"/console/tickets/{number}?tab=mine"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


@router.post("/{ticket}/return")
async def return_to_bot(request: Request, signed_in: Agents, named: Named) -> Response:
    """Hand the conversation back to the assistant."""
    tickets = desk_of(request).tickets
    return await attempt(request, named, tickets.return_to_bot(named, signed_in.agent))


@router.post("/{ticket}/messages/{message}/parked")
async def settle_parked(request: Request, _: Agents, named: Named, message: UUID) -> Response:
    """Settle a message that may not have arrived: send it again, count it as sent, or never."""
    decision = text_field(await form_of(request), "decision")
    if decision not in {*Verdict}:
        raise InvalidInput("send it again, count it as sent, or never send it")
    await _check_belongs(request, named, message)
    desk = desk_of(request)
    work = desk.outbox.unpark(MessageId(message), Verdict(decision))
    return await attempt(request, named, work)


@router.post("/{ticket}/messages/{message}/correct")
async def correct(request: Request, signed_in: Agents, named: Named, message: UUID) -> Response:
    """Change what an agent said; the platform shows the new words where it can."""
    words = text_field(await form_of(request), "text").replace("\r\n", "\n")
    desk = desk_of(request)
    await _check_belongs(request, named, message)
    work = desk.corrections.correct(MessageId(message), signed_in.agent, words)
    return await attempt(request, named, work, trigger="corrected")


@router.post("/{ticket}/messages/{message}/withdraw")
async def withdraw(request: Request, signed_in: Agents, named: Named, message: UUID) -> Response:
    """Take back what an agent said."""
    await _check_belongs(request, named, message)
    work = desk_of(request).corrections.withdraw(MessageId(message), signed_in.agent)
    return await attempt(request, named, work, trigger="corrected")


async def _check_belongs(request: Request, ticket: TicketId, message: UUID) -> None:
    async with storage_errors(), desk_of(request).sessions() as session:
        await message_of_ticket(session, ticket, MessageId(message))


async def _ask(
    request: Request, ticket: TicketId, status: TicketStatus, numbers: Sequence[int]
) -> Response:
    """Ask, where no script does, whether a ticket is to end although parts of it are open."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        view = await ticket_view(session, ticket)
    return page(
        request,
        "parts_open.html",
        status=409,
        position=position,
        ticket=view,
        wanted=status,
        numbers=numbers,
    )


async def parts_left_open(request: Request, ticket: TicketId, status: TicketStatus) -> list[int]:
    """Return the numbers of parts that are not done, where `status` would end the whole."""
    if CATEGORY[status] is not StatusCategory.DONE:
        return []
    async with storage_errors(), desk_of(request).sessions() as session:
        if (await ticket_view(session, ticket)).status in (TicketStatus.SOLVED, status):
            return []
        links = await links_of(session, ticket, await sight_for(request, session))
    return [one.number for one in links if one.is_open_part]


def _team(words: str) -> TeamId:
    try:
        return TeamId(UUID(words))
    except ValueError:
        raise InvalidInput("there is no such team") from None


def holder_in(words: str) -> Holder:
    """Return who a page says has a ticket; no words: nobody."""
    try:
        return Holder(agent=AgentId(UUID(words)) if words else None)
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None


def status_in(words: str) -> TicketStatus:
    if words not in STATUS:
        raise InvalidInput("there is no such status")
    return TicketStatus(words)


async def attempt(
    request: Request, ticket: TicketId, work: Awaitable[Any], trigger: str | None = None
) -> Response:
    """Answer with how things are after `work`, or why it was refused."""
    try:
        await work
    except DeskError as error:
        if not is_htmx(request):
            raise
        status = 422 if isinstance(error, InvalidInput) else 409
        return await refused(request, ticket, error_in_words(error, translator(request)), status)
    return await _done(request, ticket, trigger)


async def _done(request: Request, ticket: TicketId, trigger: str | None = None) -> Response:
    if is_htmx(request):
        response = await parts_of(request, ticket, shown_in(request))
        if trigger is not None:
            response.headers["HX-Trigger"] = trigger
        return response
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
    side = side_of(request)
    query = "" if side is None else f"?side={side}"
    return RedirectResponse(f"/console/tickets/{number}{query}", 303)


async def refused(request: Request, ticket: TicketId, said: str, status: int) -> Response:
    """Answer with how things are, and why nothing was done."""
    if is_htmx(request):
        return await parts_of(request, ticket, shown_in(request), notice=said, status=status)
    return page(request, "error.html", status=status, code=status, said=said)


async def parts_of(
    request: Request,
    ticket: TicketId,
    shown: int,
    *,
    notice: str = "",
    status: int = 200,
    **more: Any,
) -> Response:
    """Return the parts of a workspace as they are now; `more` is for the parts' own use."""
    async with storage_errors(), desk_of(request).sessions() as session:
        work = await of_ticket(request, session, ticket, shown, side_of(request))
    await render_ahead(work.said())
    return live_parts(request, work, notice=notice, status=status, **more)


def shown_in(request: Request) -> int:
    """Return how many messages the page shows."""
    words = request.query_params.get("show", "")
    return int(words) if words.isascii() and words.isdigit() and len(words) < 6 else MESSAGES_SHOWN


def side_of(request: Request) -> ConversationId | None:
    """Return the conversation beside the ticket's own that a page shows, if it shows one."""
    words = request.query_params.get("side")
    try:
        return None if words is None else ConversationId(UUID(words))
    except ValueError:
        raise NotFound("there is no such conversation") from None


def _conversation(side: UUID | None) -> ConversationId | None:
    return None if side is None else ConversationId(side)
