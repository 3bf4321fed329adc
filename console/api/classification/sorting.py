"""What a ticket is, in the API: kind, category, priority, fields, tags, due date, watchers."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from console.api.parts import first_of, part_of
from console.api.preconditions import IfMatch, showing_the_present, tag
from console.api.principal import AgentCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, Page, PersonOut, Text
from console.api.tickets.shapes import NewAssignee, TicketOut
from console.api.tickets.tickets import TicketName, answer, ticket_called
from console.desk import desk_of
from core.domain.classification import Extent, Kind
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AssetId, CategoryId, TeamId
from core.domain.ticket import Priority
from core.services.classification.sorting import Sorting
from core.services.revisions import version_of
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.classification.categories import tags_like, watchers_of

router = APIRouter(route_class=PutBack, tags=["tickets"])

Id = Annotated[UUID, Field(strict=False)]
Value = Text | bool | int | float | None


class SortingBody(Body):
    """What is to be different about a ticket; what is not named stays."""

    kind: Annotated[Kind, Field(strict=False)] = Kind.INCIDENT
    category: Id | None = None
    team: Id | None = None
    asset: Id | None = None
    impact: Annotated[Extent, Field(strict=False)] | None = None
    urgency: Annotated[Extent, Field(strict=False)] | None = None
    priority: Annotated[Priority, Field(strict=False)] | None = Field(
        default=None, description="Null lets impact and urgency decide again."
    )
    fields: dict[Text, Value] = Field(
        default_factory=dict, description="By the field's id; null takes a value away."
    )
    tags: Annotated[list[Text], Field(max_length=100)] = Field(default_factory=list)
    due_at: Annotated[AwareDatetime, Field(strict=False)] | None = None

    def sorting(self) -> Sorting:
        """Return it as the desk takes it."""
        given: dict[str, Any] = {
            name: getattr(self, name) for name in self.model_fields_set & _SORTED
        }
        for name, kind in (("category", CategoryId), ("team", TeamId), ("asset", AssetId)):
            if given.get(name) is not None:
                given[name] = kind(given[name])
        return Sorting(**given)


_SORTED = frozenset(SortingBody.model_fields)


@router.patch("/tickets/{ticket}")
async def sort_ticket(
    request: Request,
    response: Response,
    caller: AgentCaller,
    ticket: TicketName,
    body: SortingBody,
    version: IfMatch,
) -> TicketOut:
    """Change what a ticket is."""
    desk = desk_of(request)
    found = await ticket_called(desk, ticket)
    async with showing_the_present(lambda: answer(desk, found)):
        await desk.sorting.sort(found, body.sorting(), caller, version=version)
    changed = await answer(desk, found)
    tag(response, version_of(changed.updated_at))
    return changed


@router.get("/tickets/{ticket}/watchers")
async def list_watchers(
    request: Request,
    _: AgentCaller,
    ticket: TicketName,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PersonOut]:
    """List the agents who hear of a ticket."""
    desk = desk_of(request)
    found = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        watchers = await watchers_of(session, found)
    return part_of(watchers, PersonOut.of, cursor, limit)


@router.post("/tickets/{ticket}/watchers")
async def watch(
    request: Request, caller: AgentCaller, ticket: TicketName, body: NewAssignee
) -> Page[PersonOut]:
    """Let an agent, by id or e-mail address, hear of a ticket; null stands for the caller."""
    desk = desk_of(request)
    found = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        try:
            who = caller.id if body.agent is None else await agent_named(session, body.agent)
        except NotFound as error:
            raise InvalidInput(str(error)) from None
    await desk.sorting.watch(found, who, caller)
    return await list_watchers(request, caller, ticket)


@router.delete("/tickets/{ticket}/watchers/{agent}", status_code=204)
async def unwatch(request: Request, caller: AgentCaller, ticket: TicketName, agent: Text) -> None:
    """Let an agent, by id or e-mail address, hear of a ticket no more."""
    desk = desk_of(request)
    found = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        who = await agent_named(session, agent)
    await desk.sorting.unwatch(found, who, caller)


@router.get("/tags")
async def list_tags(
    request: Request,
    _: AgentCaller,
    q: Annotated[Text, Query(description="How they begin.", max_length=40)] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[str]:
    """List tags that tickets carry, those used last first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await tags_like(session, q.lower(), start=cursor, limit=limit + 1)
    return first_of(found, str, limit, name=str)
