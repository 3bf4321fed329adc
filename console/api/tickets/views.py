"""Views of the queue in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import cut
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, NamedOut, Page, Text
from console.api.tickets.shapes import TicketOut
from console.desk import ConsoleDesk, desk_of
from core.domain.actor import Agent
from core.domain.ids import TeamId
from core.domain.views import (
    MOST_FIELDS,
    USUAL_COLUMNS,
    Column,
    Order,
    ViewDraft,
    ViewFilter,
    ViewId,
)
from core.services.tickets.views import filter_of_view
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.queries.tickets.queue import counts_of, queue_part
from core.storage.queries.tickets.queue_order import QueuePlace
from core.storage.queries.tickets.views import ViewView, view_named, views_of

router = APIRouter(route_class=PutBack, prefix="/views", tags=["views"])

Id = Annotated[UUID, Field(strict=False)]
ListComparison = Literal[
    "is", "is_not", "has", "has_not", "more", "less", "at_most", "empty", "filled"
]
Values = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(max_length=50)]


class FieldConditionBody(Body):
    """A condition on a custom field; of several values with `|` between them, one has to fit."""

    field: Id
    comparison: Annotated[
        ListComparison,
        Field(description="`more` is at least; `empty` and `filled` take no value."),
    ]
    value: Annotated[Text, Field(max_length=2_000)] = ""


class FilterBody(Body):
    """Which tickets: of each kind that is named, one value has to fit."""

    statuses: Values = Field(default_factory=list)
    teams: Values = Field(default_factory=list)
    assignees: Annotated[
        Values, Field(description="Ids of agents; `me` is whoever looks, `nobody` no agent.")
    ] = Field(default_factory=list)
    categories: Annotated[Values, Field(description="With those below them.")] = Field(
        default_factory=list
    )
    tags: Values = Field(default_factory=list)
    priorities: Values = Field(default_factory=list)
    channels: Values = Field(default_factory=list)
    languages: Values = Field(default_factory=list)
    promises: Annotated[
        Values, Field(description="`late`, `soon` (within the hour), `running`, `none`.")
    ] = Field(default_factory=list)
    due_dates: Annotated[
        Values, Field(description="`past`, `near` (within a day), `set`, `none`.")
    ] = Field(default_factory=list)
    fields: Annotated[
        list[FieldConditionBody],
        Field(max_length=MOST_FIELDS, description="Conditions on custom fields: all have to hold."),
    ] = Field(default_factory=list)
    words: Annotated[Text, Field(max_length=200)] = ""


class ViewBody(Body):
    """A view as it is to be."""

    name: Annotated[Text, Field(min_length=1, max_length=60)]
    filter: FilterBody = Field(default_factory=FilterBody)
    order: Annotated[Order, Field(strict=False)] = Order.LONGEST_WAITING
    columns: list[Annotated[Column, Field(strict=False)]] = Field(
        default_factory=lambda: list(USUAL_COLUMNS)
    )
    team: Annotated[
        Id | None, Field(description="Shared with this team: of one's own, by admins any.")
    ] = None
    is_for_all: Annotated[
        bool, Field(description="Shared with everybody; leads and admins only.")
    ] = False

    def draft(self) -> ViewDraft:
        """Return it as the desk takes it."""
        return ViewDraft(
            name=self.name,
            wanted=ViewFilter.from_json(self.filter.model_dump()),
            order=self.order,
            columns=self.columns,
            team=None if self.team is None else TeamId(self.team),
            is_for_all=self.is_for_all,
        )


class ViewOut(BaseModel):
    """A view; its filter names only what it narrows."""

    id: UUID
    name: str
    owner: NamedOut
    team: NamedOut | None
    is_for_all: bool
    filter: dict[str, Any]
    order: Order
    columns: list[Column]
    count: int | None  # of its tickets, 1,000 at most; null where it looks for words
    revision: int

    @classmethod
    def of(cls, view: ViewView, count: int | None) -> ViewOut:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            name=view.name,
            owner=NamedOut(id=view.owner.id, name=view.owner.name),
            team=None if view.team is None else NamedOut(id=view.team.id, name=view.team.name),
            is_for_all=view.is_for_all,
            filter=view.wanted.to_json(),
            order=view.order,
            columns=list(view.columns),
            count=count,
            revision=view.revision,
        )


@router.get("")
async def list_views(
    request: Request, caller: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[ViewOut]:
    """List one's own views and those that are shared, with how many tickets are in each."""
    async with storage_errors(), desk_of(request).sessions() as session:
        views, following = cut(await views_of(session, caller.id), cursor, limit)
        sight = await sight_of(session, caller)
        filters = {
            str(view.id): await filter_of_view(session, view, caller.id, sight)
            for view in views
            if not view.wanted.words
        }
        counts = await counts_of(session, filters)
    return Page(
        items=[ViewOut.of(view, counts.get(str(view.id))) for view in views], next=following
    )


@router.post("", status_code=201)
async def add_view(
    request: Request, response: Response, caller: AgentCaller, body: ViewBody
) -> ViewOut:
    """Keep a view."""
    desk = desk_of(request)
    return await _answer(desk, response, await desk.views.add(body.draft(), caller), caller)


@router.get("/{view}")
async def get_view(
    request: Request, response: Response, caller: AgentCaller, view: UUID
) -> ViewOut:
    """Return one view."""
    return await _answer(desk_of(request), response, ViewId(view), caller)


@router.put("/{view}")
async def change_view(
    request: Request,
    response: Response,
    caller: AgentCaller,
    view: UUID,
    body: ViewBody,
    revision: IfMatch,
) -> ViewOut:
    """Replace a view: one's own, or as a lead one that is shared."""
    desk, named = desk_of(request), ViewId(view)
    await desk.views.change(named, body.draft(), caller, revision=revision)
    return await _answer(desk, response, named, caller)


@router.delete("/{view}", status_code=204)
async def remove_view(request: Request, caller: AgentCaller, view: UUID, revision: IfMatch) -> None:
    """Remove a view."""
    await desk_of(request).views.remove(ViewId(view), caller, revision=revision)


@router.get("/{view}/tickets")
async def tickets_of_view(
    request: Request,
    caller: AgentCaller,
    view: UUID,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TicketOut]:
    """List a view's tickets in its order."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await view_named(session, ViewId(view), caller.id)
        sight = await sight_of(session, caller)
        wanted = await filter_of_view(session, found, caller.id, sight)
        after = None if cursor is None else QueuePlace.read(cursor, found.order)
        rows, place = await queue_part(session, wanted, found.order, after=after, limit=limit)
    return Page(
        items=[TicketOut.of(row.ticket) for row in rows],
        next=None if place is None else str(place),
    )


async def _answer(desk: ConsoleDesk, response: Response, view: ViewId, me: Agent) -> ViewOut:
    async with storage_errors(), desk.sessions() as session:
        found = await view_named(session, view, me.id)
        count = None
        if not found.wanted.words:
            sight = await sight_of(session, me)
            wanted = await filter_of_view(session, found, me.id, sight)
            count = (await counts_of(session, {"": wanted}))[""]
    tag(response, found.revision)
    return ViewOut.of(found, count)
