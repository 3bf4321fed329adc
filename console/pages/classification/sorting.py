"""What a ticket is, changed in its details pane one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.tickets import Named, attempt
from console.pages.view import ZONE_COOKIE, page
from console.times import zone
from core.domain.classification import Extent, Kind
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, AssetId, CategoryId, TeamId
from core.domain.ticket import Priority
from core.services.classification.sorting import Sorting
from core.storage.engine import storage_errors
from core.storage.queries.classification.categories import tags_like
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console")


@router.post("/tickets/{ticket}/sort")
async def sort(request: Request, signed_in: Agents, named: Named) -> Response:
    """Change what the form names: each control of the pane is a form of its own."""
    form = await form_of(request)
    wanted = sorting_of(request, form)
    return await attempt(
        request, named, desk_of(request).sorting.sort(named, wanted, signed_in.agent)
    )


@router.post("/tickets/{ticket}/tags")
async def tag(request: Request, signed_in: Agents, named: Named) -> Response:
    """Add the tags that were typed, or take one off."""
    form = await form_of(request)
    async with storage_errors(), desk_of(request).sessions() as session:
        tags = list((await ticket_view(session, named)).tags)
    gone = text_field(form, "remove")
    tags = [one for one in tags if one != gone] + text_field(form, "add").split(",")
    work = desk_of(request).sorting.sort(named, Sorting(tags=tags), signed_in.agent)
    return await attempt(request, named, work)


@router.post("/tickets/{ticket}/watch")
async def watch(request: Request, signed_in: Agents, named: Named) -> Response:
    """Let somebody hear of the ticket, or no more."""
    form = await form_of(request)
    sorting = desk_of(request).sorting
    gone = text_field(form, "remove")
    if gone:
        work = sorting.unwatch(named, AgentId(_id(gone)), signed_in.agent)
    else:
        chosen = text_field(form, "add")
        agent = AgentId(_id(chosen)) if chosen else signed_in.agent.id
        work = sorting.watch(named, agent, signed_in.agent)
    return await attempt(request, named, work)


@router.get("/tags")
async def tags(request: Request, _: Agents, add: str = "") -> Response:
    """Show tags that begin with what is being typed."""
    beginning = add.rpartition(",")[2].replace("\x00", "").strip().lower()
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await tags_like(session, beginning[:100])
    return page(request, "parts/ticket/tag_options.html", tags=found)


def sorting_of(request: Request, form: FormData) -> Sorting:
    """Return what the fields of `form` say a ticket is; what it has no fields for stays.

    Raises:
        InvalidInput: a value is none that its field can have.
    """
    given: dict[str, Any] = {}
    fields: dict[str, str] = {}
    for name in form:
        if name.startswith("field:"):
            fields[name.removeprefix("field:")] = text_field(form, name)
        elif name in _READERS:
            words = text_field(form, name)
            given[name] = _READERS[name](words) if words else None
        elif name == "due_at":
            words = text_field(form, name)
            given[name] = _moment(words, request.cookies.get(ZONE_COOKIE)) if words else None
    if fields:
        given["fields"] = fields
    if given.get("kind", Kind.INCIDENT) is None:
        raise InvalidInput("there is no such kind of ticket")
    return Sorting(**given)


def _id(words: str) -> UUID:
    try:
        return UUID(words)
    except ValueError:
        raise InvalidInput("there is nothing of this id") from None


def _one_of(values: type[Kind | Extent | Priority]) -> Callable[[str], Any]:
    def read(words: str) -> Any:
        try:
            return values(words)
        except ValueError:
            raise InvalidInput("there is no such choice") from None

    return read


_READERS: Mapping[str, Callable[[str], Any]] = {
    "kind": _one_of(Kind),
    "impact": _one_of(Extent),
    "urgency": _one_of(Extent),
    "priority": _one_of(Priority),
    "category": lambda words: CategoryId(_id(words)),
    "team": lambda words: TeamId(_id(words)),
    "asset": lambda words: AssetId(_id(words)),
}


def _moment(words: str, zone_name: str | None) -> datetime:
    """Return the moment that a reader in `zone_name` wrote as 2030-12-31T23:59."""
    try:
        local = datetime.fromisoformat(words)
        return local.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("a date and time is written as 2030-12-31T23:59") from None
