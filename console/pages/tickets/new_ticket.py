"""Registering a ticket for somebody: who they are first, then what they ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.classification.sorting import sorting_of
from console.pages.session import Agents, form_of, text_field
from console.pages.view import page, translator
from console.sight import sight_for, ticket_in_sight
from console.words.errors import error_in_words
from core.domain.actor import WORKING
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AccountId, AgentId, ContactId, TicketId
from core.domain.ticket import CameBy
from core.services.requester_records.contacts import ContactDraft
from core.services.tickets.registrations import Registration
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import unseen_ticket
from core.storage.queries.classification.categories import category_tree, open_teams
from core.storage.queries.feed import feed_end
from core.storage.queries.requester_records.assets import list_assets
from core.storage.queries.requester_records.requesters import list_requesters, requester_view
from core.storage.queries.teams.teams import crew
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.tickets import list_tickets, ticket_view

router = APIRouter(prefix="/console/tickets/new")

_FOUND = 8
_EARLIER = 5
_MOST_INCIDENTS = 100

Words = Annotated[str, Query(max_length=200)]


@router.get("")
async def show_form(
    request: Request,
    signed_in: Agents,
    q: Words = "",
    requester: UUID | None = None,
    opened: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """Ask who it is for; once that is known, what they ask for."""
    if requester is not None:
        return await _form(request, ContactId(requester), _blank(signed_in.agent.language))
    return await _people(request, q, opened=opened)


@router.get("/people")
async def find_people(request: Request, _: Agents, q: Words = "") -> Response:
    """Show whom the words that are being typed mean."""
    return page(request, "registering/found.html", **await _found(request, q))


@router.get("/fields")
async def show_fields(request: Request, _: Agents, category: str = "") -> Response:
    """Show what a category asks for."""
    async with storage_errors(), desk_of(request).sessions() as session:
        tree = await category_tree(session)
    chosen = _id(category)
    return page(request, "registering/fields.html", fields=tree.fields_of(chosen), given={})


@router.post("/people")
async def add_person(request: Request, signed_in: Agents) -> Response:
    """Write down somebody new, and go on with what they ask for."""
    form = await form_of(request)
    name, email = text_field(form, "name"), text_field(form, "email")
    desk = desk_of(request)
    try:
        met = await desk.registrations.meet(ContactDraft(name=name), email, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        wrong = error_in_words(error, translator(request))
        q = email if isinstance(error, Conflict) else ""
        return await _people(request, q, wrong=wrong, name=name, email=email)
    return RedirectResponse(f"/console/tickets/new?requester={met}", 303)


@router.post("")
async def register(request: Request, signed_in: Agents) -> Response:
    """Register the ticket."""
    form = await form_of(request)
    requester = _id(text_field(form, "requester"))
    if requester is None:
        raise InvalidInput("choose whom it is for")
    desk = desk_of(request)
    try:
        wanted = _registration(request, form, ContactId(requester))
        ticket = await desk.registrations.open(wanted, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        wrong = error_in_words(error, translator(request))
        return await _form(request, ContactId(requester), _given(form), wrong=wrong)
    return await _opened(request, ticket)


async def _opened(request: Request, ticket: TicketId) -> Response:
    """Go to a ticket that was just opened; or say its number, where it is another team's now."""
    async with storage_errors(), desk_of(request).sessions() as session:
        number = (await ticket_view(session, ticket)).number
        sight = await sight_for(request, session)
        hidden = None if sight is None else await unseen_ticket(session, sight, ticket)
    if hidden is not None:
        return RedirectResponse(f"/console/tickets/new?opened={number}", 303)
    return RedirectResponse(f"/console/tickets/{number}", 303)


@router.get("/problem")
async def show_problem_form(
    request: Request, _: Agents, incident: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Ask what a problem is that no requester reported."""
    return await _problem(request, {"incidents": incident})


@router.post("/problem")
async def open_problem(request: Request, signed_in: Agents) -> Response:
    """Open a problem, with the incidents that are known."""
    form, desk = await form_of(request), desk_of(request)
    try:
        incidents = [
            await ticket_in_sight(request, signed_in.agent, number.lstrip("#"))
            for number in text_field(form, "incidents").replace(",", " ").split()[:_MOST_INCIDENTS]
        ]
        opened = await desk.problems.begin(
            text_field(form, "subject"),
            text_field(form, "text").replace("\r\n", "\n"),
            signed_in.agent,
            sorting=sorting_of(request, form),
            incidents=incidents,
        )
    except (InvalidInput, NotFound, Forbidden) as error:
        wrong = error_in_words(error, translator(request))
        return await _problem(request, _given(form), wrong=wrong)
    return await _opened(request, opened)


async def _problem(request: Request, given: dict[str, str], *, wrong: str = "") -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        tree = await category_tree(session)
        teams = await open_teams(session)
    return page(
        request,
        "registering/problem.html",
        status=422 if wrong else 200,
        position=position,
        tree=tree,
        teams=teams,
        given=given,
        wrong=wrong,
    )


async def _people(
    request: Request,
    q: str,
    *,
    opened: int | None = None,
    wrong: str = "",
    name: str = "",
    email: str = "",
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "registering/whom.html",
        status=422 if wrong else 200,
        position=position,
        q=q,
        opened_as=opened,
        wrong=wrong,
        name=name,
        email=email,
        **await _found(request, q),
    )


async def _found(request: Request, q: str) -> dict[str, Any]:
    words = q.replace("\x00", "").strip()
    if not words:
        return {"people": (), "ways": {}, "asked": False}
    registrations = desk_of(request).registrations
    async with storage_errors(), desk_of(request).sessions() as session:
        people = await list_requesters(session, words, limit=_FOUND)
        ways = await registrations.ways_to(session, [one.id for one in people])
    return {"people": people, "ways": ways, "asked": True}


async def _form(
    request: Request, requester: ContactId, given: dict[str, str], *, wrong: str = ""
) -> Response:
    registrations = desk_of(request).registrations
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        who = await requester_view(session, requester)
        sight = await sight_for(request, session)
        ways = await registrations.ways_to(session, [requester])
        tree = await category_tree(session)
        return page(
            request,
            "registering/form.html",
            status=422 if wrong else 200,
            position=position,
            who=who,
            way=ways.get(requester),
            accounts=registrations.mail_accounts,
            earlier=await list_tickets(
                session, TicketFilter(requester=requester, sight=sight), limit=_EARLIER
            ),
            owned=await list_assets(session, owner=requester),
            tree=tree,
            fields=tree.fields_of(_id(given.get("category", ""))),
            teams=await open_teams(session),
            crew=[one for one in await crew(session, datetime.now(UTC)) if one.role in WORKING],
            given={"language": who.language or "", **given},
            wrong=wrong,
        )


def _blank(language: str) -> dict[str, str]:
    return {"came_by": CameBy.PHONE, "tell": "yes", "language": language}


def _given(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _registration(request: Request, form: FormData, requester: ContactId) -> Registration:
    came_by, assignee = text_field(form, "came_by"), _id(text_field(form, "assignee"))
    if came_by not in list(CameBy):
        raise InvalidInput("there is no such choice")
    return Registration(
        requester=requester,
        subject=text_field(form, "subject"),
        text=text_field(form, "text").replace("\r\n", "\n"),
        came_by=CameBy(came_by),
        sorting=replace(sorting_of(request, form), more_tags=text_field(form, "tags").split(",")),
        assignee=None if assignee is None else AgentId(assignee),
        language=text_field(form, "language") or None,
        account=AccountId(text_field(form, "account")) if text_field(form, "account") else None,
        tells=text_field(form, "tell") == "yes",
    )


def _id(words: str) -> UUID | None:
    try:
        return UUID(words) if words else None
    except ValueError:
        raise NotFound("there is nothing of this id") from None
