"""Support plans in the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.plans import PlanId
from core.services.requester_records.plans import PlanDraft
from core.storage.engine import storage_errors
from core.storage.queries.requester_records.plans import PlanView, list_plans, plan_view

router = APIRouter(route_class=PutBack, prefix="/plans", tags=["requesters"])


class PlanBody(Body):
    """A support plan as it is to be."""

    name: Annotated[Text, Field(max_length=200)]
    channels: Annotated[list[Annotated[Text, Field(max_length=100)]], Field(max_length=20)] = Field(
        default_factory=list, description="Kinds that it covers; none: all."
    )
    notes: Annotated[Text, Field(max_length=5_000)] = ""

    def draft(self) -> PlanDraft:
        """Return it as the desk takes it."""
        return PlanDraft(name=self.name, channels=self.channels, notes=self.notes)


class PlanOut(BaseModel):
    """A support plan."""

    id: UUID
    name: str
    channels: list[str]
    notes: str
    archived: bool
    organisations: int  # that have it

    @classmethod
    def of(cls, view: PlanView) -> PlanOut:
        """Return what the API tells of `view`."""
        return cls(
            id=view.id,
            name=view.name,
            channels=list(view.channels),
            notes=view.notes,
            archived=view.is_archived,
            organisations=view.organisations,
        )


@router.get("")
async def find_plans(
    request: Request,
    _: AgentCaller,
    archived: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PlanOut]:
    """List support plans by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_plans(session, with_archived=archived)
    return part_of(found, PlanOut.of, cursor, limit)


@router.post("", status_code=201)
async def add_plan(
    request: Request, response: Response, caller: LeadCaller, body: PlanBody
) -> PlanOut:
    """Add a support plan."""
    desk = desk_of(request)
    return await _plan(desk, response, await desk.plans.add(body.draft(), caller))


@router.get("/{plan}")
async def get_plan(request: Request, response: Response, _: AgentCaller, plan: UUID) -> PlanOut:
    """Return one support plan."""
    return await _plan(desk_of(request), response, PlanId(plan))


@router.put("/{plan}")
async def change_plan(
    request: Request,
    response: Response,
    caller: LeadCaller,
    plan: UUID,
    body: PlanBody,
    revision: IfMatch,
) -> PlanOut:
    """Replace a support plan."""
    desk, named = desk_of(request), PlanId(plan)
    await desk.plans.change(named, body.draft(), caller, revision=revision)
    return await _plan(desk, response, named)


@router.delete("/{plan}", status_code=204)
async def archive_plan(request: Request, caller: LeadCaller, plan: UUID) -> None:
    """Take a support plan out of choices; organisations that have it keep it."""
    await desk_of(request).plans.set_archived(PlanId(plan), caller, archived=True)


@router.post("/{plan}/restore")
async def restore_plan(
    request: Request, response: Response, caller: LeadCaller, plan: UUID
) -> PlanOut:
    """Put an archived support plan back among the choices."""
    desk, named = desk_of(request), PlanId(plan)
    await desk.plans.set_archived(named, caller, archived=False)
    return await _plan(desk, response, named)


async def _plan(desk: ConsoleDesk, response: Response, plan: PlanId) -> PlanOut:
    async with storage_errors(), desk.sessions() as session:
        found = await plan_view(session, plan)
    tag(response, found.revision)
    return PlanOut.of(found)
