"""Organisations in the API: whose requesters they are, and the support plan they have."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import first_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.requester_records.requesters import Notes, Short
from console.api.shapes import Body, Limit, NamedOut, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import OrganisationId
from core.domain.plans import PlanId, Term
from core.services.requester_records.organisations import OrganisationDraft
from core.storage.engine import storage_errors
from core.storage.queries.requester_records.plans import plan_named
from core.storage.queries.requester_records.requesters import (
    OrganisationView,
    list_organisations,
    organisation_view,
)

router = APIRouter(route_class=PutBack, prefix="/organisations", tags=["requesters"])


class OrganisationBody(Body):
    """An organisation as it is to be."""

    name: Short
    domains: Annotated[list[Short], Field(max_length=50)] = Field(default_factory=list)
    plan: Annotated[Short | None, Field(description="Its id or name.")] = None
    plan_from: Annotated[date | None, Field(strict=False)] = None
    plan_until: Annotated[date | None, Field(strict=False)] = None
    notes: Notes = ""

    def draft(self, plan: PlanId | None) -> OrganisationDraft:
        """Return it as the desk takes it."""
        return OrganisationDraft(
            name=self.name,
            domains=self.domains,
            plan=plan,
            term=Term(starts=self.plan_from, ends=self.plan_until),
            notes=self.notes,
        )


class OrganisationOut(BaseModel):
    """An organisation."""

    id: UUID
    name: str
    domains: list[str]
    plan: NamedOut | None
    plan_from: date | None
    plan_until: date | None
    plan_in_force: bool  # today
    channels: list[str]  # that the plan covers; none: all
    notes: str
    archived: bool
    members: int

    @classmethod
    def of(cls, view: OrganisationView) -> OrganisationOut:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            name=view.name,
            domains=list(view.domains),
            plan=NamedOut.of(view.plan),
            plan_from=view.term.starts,
            plan_until=view.term.ends,
            plan_in_force=view.has_plan,
            channels=list(view.channels),
            notes=view.notes,
            archived=view.is_archived,
            members=view.members,
        )


@router.get("")
async def find_organisations(
    request: Request,
    _: AgentCaller,
    q: Text = "",
    archived: bool = False,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[OrganisationOut]:
    """List organisations by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_organisations(
            session, q[:200], with_archived=archived, start=cursor, limit=limit + 1
        )
    return first_of(found, OrganisationOut.of, limit)


@router.post("", status_code=201)
async def add_organisation(
    request: Request, response: Response, caller: LeadCaller, body: OrganisationBody
) -> OrganisationOut:
    """Add an organisation."""
    desk = desk_of(request)
    draft = body.draft(await _plan(desk, body.plan))
    added = await desk.organisations.add(draft, caller)
    return await _organisation(desk, response, added)


@router.get("/{organisation}")
async def get_organisation(
    request: Request, response: Response, _: AgentCaller, organisation: UUID
) -> OrganisationOut:
    """Return one organisation."""
    return await _organisation(desk_of(request), response, OrganisationId(organisation))


@router.put("/{organisation}")
async def change_organisation(
    request: Request,
    response: Response,
    caller: LeadCaller,
    organisation: UUID,
    body: OrganisationBody,
    revision: IfMatch,
) -> OrganisationOut:
    """Replace what is known of an organisation."""
    desk, named = desk_of(request), OrganisationId(organisation)
    draft = body.draft(await _plan(desk, body.plan))
    await desk.organisations.change(named, draft, caller, revision=revision)
    return await _organisation(desk, response, named)


@router.delete("/{organisation}", status_code=204)
async def archive_organisation(request: Request, caller: LeadCaller, organisation: UUID) -> None:
    """Take an organisation out of choices; its members and tickets stay."""
    named = OrganisationId(organisation)
    await desk_of(request).organisations.set_archived(named, caller, archived=True)


@router.post("/{organisation}/restore")
async def restore_organisation(
    request: Request, response: Response, caller: LeadCaller, organisation: UUID
) -> OrganisationOut:
    """Put an archived organisation back among the choices."""
    desk, named = desk_of(request), OrganisationId(organisation)
    await desk.organisations.set_archived(named, caller, archived=False)
    return await _organisation(desk, response, named)


async def _plan(desk: ConsoleDesk, name: str | None) -> PlanId | None:
    if not name:
        return None
    try:
        async with storage_errors(), desk.sessions() as session:
            return await plan_named(session, name)
    except NotFound as error:
        raise InvalidInput(str(error)) from None


async def _organisation(
    desk: ConsoleDesk, response: Response, organisation: OrganisationId
) -> OrganisationOut:
    async with storage_errors(), desk.sessions() as session:
        found = await organisation_view(session, organisation)
    tag(response, found.revision)
    return OrganisationOut.of(found)
