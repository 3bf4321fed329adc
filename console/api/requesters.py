"""Requesters and organisations in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.shapes import Body, Limit, NamedOut, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import ContactId, OrganisationId
from core.domain.plans import PlanId, Term
from core.services.requester_records.contacts import ContactDraft
from core.services.requester_records.organisations import OrganisationDraft
from core.storage.engine import storage_errors
from core.storage.queries.plans import plan_named
from core.storage.queries.requesters import (
    OrganisationView,
    RequesterView,
    list_organisations,
    list_requesters,
    organisation_view,
    requester_record,
)

router = APIRouter(tags=["requesters"])

Short = Annotated[Text, Field(max_length=200)]
Notes = Annotated[Text, Field(max_length=5_000)]
Id = Annotated[UUID, Field(strict=False)]


class RequesterBody(Body):
    """What is written down about a requester."""

    name: Short
    language: Short | None = None
    time_zone: Short | None = None
    organisation: Id | None = None
    vip: bool = False
    notes: Notes = ""

    def draft(self) -> ContactDraft:
        """Return it as the desk takes it."""
        return ContactDraft(
            name=self.name,
            language=self.language,
            time_zone=self.time_zone,
            organisation=None if self.organisation is None else OrganisationId(self.organisation),
            is_vip=self.vip,
            notes=self.notes,
        )


class RequesterOut(BaseModel):
    """A requester."""

    id: UUID
    name: str | None
    email: str | None
    language: str | None
    time_zone: str | None
    organisation: NamedOut | None
    vip: bool
    notes: str

    @classmethod
    def of(cls, view: RequesterView) -> RequesterOut:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            name=view.name,
            email=view.email,
            language=view.language,
            time_zone=view.time_zone,
            organisation=NamedOut.of(view.organisation),
            vip=view.is_vip,
            notes=view.notes,
        )


class MergeBody(Body):
    """The contact whose all is given to the one in the address."""

    other: Id


class MergeOut(BaseModel):
    """A merge; its id undoes it."""

    id: UUID


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


@router.get("/requesters")
async def find_requesters(
    request: Request,
    _: AgentCaller,
    q: Annotated[Text, Query(description="Words of name, addresses or organisation.")] = "",
    cursor: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
) -> Page[RequesterOut]:
    """List requesters, met last first."""
    before = None if cursor is None else ContactId(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_requesters(session, q[:200], before=before, limit=limit + 1)
    return Page(
        items=[RequesterOut.of(one) for one in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/requesters/{contact}")
async def get_requester(
    request: Request, response: Response, _: AgentCaller, contact: UUID
) -> RequesterOut:
    """Return one requester."""
    return await answer(desk_of(request), response, ContactId(contact))


@router.put("/requesters/{contact}")
async def change_requester(
    request: Request,
    response: Response,
    caller: AgentCaller,
    contact: UUID,
    body: RequesterBody,
    revision: IfMatch,
) -> RequesterOut:
    """Replace what is written down about a requester."""
    desk, named = desk_of(request), ContactId(contact)
    await desk.contacts.change(named, body.draft(), caller, revision=revision)
    return await answer(desk, response, named)


@router.post("/requesters/{contact}/merges", status_code=201)
async def merge(request: Request, caller: AgentCaller, contact: UUID, body: MergeBody) -> MergeOut:
    """Give all that is another contact's to this one."""
    merging = desk_of(request).contact_merging
    return MergeOut(id=await merging.merge(ContactId(contact), ContactId(body.other), caller))


@router.delete("/requesters/{contact}/merges/{merge}", status_code=204)
async def undo_merge(request: Request, caller: AgentCaller, contact: UUID, merge: UUID) -> None:
    """Part two contacts again, within 30 days."""
    del contact  # part of the address alone: ids of merges are unique
    await desk_of(request).contact_merging.undo(merge, caller)


@router.get("/organisations")
async def find_organisations(
    request: Request, _: AgentCaller, q: Text = "", archived: bool = False
) -> list[OrganisationOut]:
    """List organisations by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_organisations(session, q[:200], with_archived=archived)
    return [OrganisationOut.of(one) for one in found]


@router.post("/organisations", status_code=201)
async def add_organisation(
    request: Request, response: Response, caller: LeadCaller, body: OrganisationBody
) -> OrganisationOut:
    """Add an organisation."""
    desk = desk_of(request)
    draft = body.draft(await _plan(desk, body.plan))
    added = await desk.organisations.add(draft, caller)
    return await _organisation(desk, response, added)


@router.get("/organisations/{organisation}")
async def get_organisation(
    request: Request, response: Response, _: AgentCaller, organisation: UUID
) -> OrganisationOut:
    """Return one organisation."""
    return await _organisation(desk_of(request), response, OrganisationId(organisation))


@router.put("/organisations/{organisation}")
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


@router.delete("/organisations/{organisation}", status_code=204)
async def archive_organisation(request: Request, caller: LeadCaller, organisation: UUID) -> None:
    """Take an organisation out of choices; its members and tickets stay."""
    named = OrganisationId(organisation)
    await desk_of(request).organisations.set_archived(named, caller, archived=True)


async def answer(desk: ConsoleDesk, response: Response, contact: ContactId) -> RequesterOut:
    """Return how a requester is now."""
    async with storage_errors(), desk.sessions() as session:
        found = (await requester_record(session, contact)).requester
    tag(response, found.revision)
    return RequesterOut.of(found)


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
