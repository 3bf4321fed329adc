"""Requests for items of the catalogue: what waits for an agent, and what they do in a ticket."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.tickets import Named, attempt
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import ItemId, RequestTaskId, TicketId
from core.services.catalogue.approving import decision_named
from core.services.catalogue.asking import Wish
from core.storage.engine import storage_errors
from core.storage.queries.catalogue.items import catalogue_items, item_view
from core.storage.queries.catalogue.requests import tasks_for, waiting_for
from core.storage.queries.feed import feed_end
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console")


@router.get("/approvals")
async def show_what_waits(request: Request, signed_in: Agents) -> Response:
    """List the requests that wait for an agent's decision, and their open tasks."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        approvals = await waiting_for(session, signed_in.agent.id)
        tasks = await tasks_for(session, signed_in.agent.id)
    return page(
        request, "catalogue/waiting.html", position=position, approvals=approvals, tasks=tasks
    )


@router.get("/tickets/{ticket}/request")
async def show_form(
    request: Request,
    _: Agents,
    named: Named,
    item: Annotated[UUID | None, Query()] = None,
) -> Response:
    """Let an agent choose an item for a ticket, then fill in its form."""
    return await _form(request, named, item, {})


@router.post("/tickets/{ticket}/request")
async def ask(request: Request, signed_in: Agents, named: Named) -> Response:
    """Make the ticket the request for an item."""
    form = await form_of(request)
    item = _id(text_field(form, "item"), "there is no such item")
    given = {
        name.removeprefix("field:"): text_field(form, name)
        for name in form
        if name.startswith("field:")
    }
    wish = Wish(item=ItemId(item), values=given)
    try:
        await desk_of(request).catalogue.asking.ask_with(named, wish, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        wrong = error_in_words(error, translator(request))
        return await _form(request, named, item, given, wrong=wrong, status=422)
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, named)).number
    return RedirectResponse(f"/console/tickets/{number}", 303)


@router.post("/tickets/{ticket}/approval")
async def decide(request: Request, signed_in: Agents, named: Named) -> Response:
    """Approve or reject what the ticket asks for."""
    form = await form_of(request)
    decision = decision_named(text_field(form, "decision"))
    approvals = desk_of(request).catalogue.approvals
    work = approvals.decide(named, decision, text_field(form, "reason"), signed_in.agent)
    return await attempt(request, named, work)


@router.post("/tickets/{ticket}/approval/again")
async def ask_again(request: Request, signed_in: Agents, named: Named) -> Response:
    """Ask those who may decide once more."""
    work = desk_of(request).catalogue.approvals.ask_again(named, signed_in.agent)
    return await attempt(request, named, work)


@router.post("/tickets/{ticket}/tasks/{task}")
async def finish(request: Request, signed_in: Agents, named: Named, task: UUID) -> Response:
    """Count a task as done."""
    work = desk_of(request).catalogue.tasks.finish(named, RequestTaskId(task), signed_in.agent)
    return await attempt(request, named, work)


async def _form(
    request: Request,
    ticket: TicketId,
    item: UUID | None,
    given: dict[str, str],
    *,
    wrong: str = "",
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        view = await ticket_view(session, ticket)
        items = await catalogue_items(session)
        chosen = None if item is None else await item_view(session, ItemId(item))
    return page(
        request,
        "catalogue/ask.html",
        status=status,
        position=position,
        ticket=view,
        items=items,
        item=chosen,
        given=given,
        wrong=wrong,
    )


def _id(words: str, wrong: str) -> UUID:
    try:
        return UUID(words)
    except ValueError:
        raise InvalidInput(wrong) from None
