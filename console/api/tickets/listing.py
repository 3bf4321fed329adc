"""The list of tickets in the API: narrowed, sorted, and read part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from console.api.principal import AgentCaller
from console.api.shapes import MAX_PAGE, Page, Text
from console.api.tickets.asked_fields import PARAMETERS, fields_in
from console.api.tickets.shapes import TicketOut
from console.desk import desk_of
from console.sight import sight_for
from core.domain.actor import Agent
from core.domain.classification import Kind
from core.domain.errors import NotFound
from core.domain.ids import AgentId, CategoryId, ContactId, OrganisationId, TeamId
from core.domain.search import question_of
from core.domain.ticket import Priority, TicketStatus
from core.services.search.searching import tickets_with
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.field_conditions import check_fields, field_tests
from core.storage.queries.teams.teams import team_named
from core.storage.queries.tickets.filter import TicketFilter, Unassigned
from core.storage.queries.tickets.listing import Place, TicketSort, accounts_of, tickets_in_order

router = APIRouter(prefix="/tickets", tags=["tickets"])

_MOST = 20
Words = Annotated[Text, Field(max_length=100)]


class Fitting(BaseModel):
    """Which tickets: all that is named has to fit; of what is named several times, one."""

    status: list[TicketStatus] = Field(default_factory=list, max_length=_MOST)
    assignee: Annotated[Text, Field(max_length=254)] | None = Field(
        default=None, description="An agent's id or e-mail, `me` or `none`."
    )
    team: Words | None = Field(default=None, description="A team's id or name.")
    category: UUID | None = Field(default=None, description="With those below it.")
    requester: UUID | None = None
    organisation: UUID | None = Field(
        default=None, description="The requester's, when the ticket was opened."
    )
    kind: list[Kind] = Field(default_factory=list, max_length=_MOST)
    priority: list[Priority] = Field(default_factory=list, max_length=_MOST)
    tag: list[Words] = Field(default_factory=list, max_length=_MOST)
    channel: list[Words] = Field(
        default_factory=list, max_length=_MOST, examples=[["email"], ["slack", "telegram"]]
    )
    created_from: AwareDatetime | None = Field(
        default=None, description="With a time zone.", examples=["2030-01-31T09:00:00Z"]
    )
    created_before: AwareDatetime | None = Field(default=None, description="With a time zone.")
    updated_since: AwareDatetime | None = Field(
        default=None, description="With a time zone. What was said counts as a change."
    )
    q: Text = Field(
        default="",
        description="A number, or words of subject, requester or messages: "
        "of what fits, the latest hundreds. `/search` ranks.",
    )


class Wanted(Fitting):
    """Which tickets, in which order, and which part of them."""

    sort: TicketSort = Field(
        default=TicketSort.NEWEST,
        description="By when they were opened or changed; with a minus the latest come first.",
    )
    cursor: Words | None = Field(default=None, description="Where to go on: `next` of a part.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


@router.get("", openapi_extra=PARAMETERS)
async def find_tickets(
    request: Request, caller: AgentCaller, asked: Annotated[Wanted, Query()]
) -> Page[TicketOut]:
    """List tickets, newest first if nothing else is said."""
    async with storage_errors(), desk_of(request).sessions() as session:
        after = None if asked.cursor is None else Place.read(asked.cursor)
        wanted = await filter_in(session, request, asked, caller)
        if wanted is None:
            return Page(items=[], next=None)
        found = await tickets_in_order(
            session, wanted, asked.sort, after=after, limit=asked.limit + 1
        )
    shown = found[: asked.limit]
    return Page(
        items=[TicketOut.of(ticket) for ticket in shown],
        next=str(Place.of(shown[-1], asked.sort)) if len(found) > asked.limit else None,
    )


async def filter_in(
    session: AsyncSession, request: Request, asked: Fitting, caller: Agent
) -> TicketFilter | None:
    """Return all that an address asks for, its words and fields too; None: nothing fits."""
    fields = fields_in(request.query_params)
    await check_fields(session, fields)
    wanted = await filter_of(session, asked, caller)
    if wanted is None:
        return None
    wanted = replace(
        wanted,
        fields=await field_tests(session, fields, await category_tree(session)) if fields else (),
        sight=await sight_for(request, session),
    )
    question = question_of(asked.q)
    if question.is_empty:
        return wanted
    return replace(wanted, among=await tickets_with(session, question, wanted))


async def filter_of(session: AsyncSession, asked: Fitting, caller: Agent) -> TicketFilter | None:
    """Return what `caller` asks for; None where it names what is not there: nothing fits."""
    try:
        assignees = await _assignees(session, asked.assignee, caller)
        teams: list[TeamId] = [] if asked.team is None else [await team_named(session, asked.team)]
    except NotFound:
        return None
    categories: list[CategoryId] = []
    if asked.category is not None:
        tree = await category_tree(session)
        categories = tree.at_or_below(CategoryId(asked.category))
        if not categories:
            return None
    accounts = await accounts_of(session, asked.channel) if asked.channel else ()
    if asked.channel and not accounts:
        return None
    return TicketFilter(
        statuses=asked.status,
        assignees=assignees,
        teams=teams,
        categories=categories,
        requester=None if asked.requester is None else ContactId(asked.requester),
        organisation=None if asked.organisation is None else OrganisationId(asked.organisation),
        kinds=asked.kind,
        priorities=asked.priority,
        tags=[tag.lower() for tag in asked.tag],
        accounts=accounts,
        created_from=asked.created_from,
        created_before=asked.created_before,
        updated_since=asked.updated_since,
    )


async def _assignees(
    session: AsyncSession, named: str | None, caller: Agent
) -> list[AgentId | Unassigned]:
    match named:
        case None | "":
            return []
        case "me":
            return [caller.id]
        case "none":
            return [Unassigned.NONE]
        case _:
            return [await agent_named(session, named)]
