"""Calendars, policies, the closing rule and tickets' clocks in the API."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Cursor, Limit, Page
from console.api.sla.shapes import (
    CalendarIn,
    CalendarOut,
    ClosingIn,
    ClosingOut,
    PolicyIn,
    PolicyOrder,
    PolicyOut,
    PromiseOut,
)
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from core.domain.sla.policy import PolicyId
from core.services.sla.rules import Closing
from core.storage.engine import storage_errors
from core.storage.queries.sla import (
    calendar_view,
    closing_view,
    list_calendars,
    list_policies,
    policy_view,
    promise_view,
)

router = APIRouter(route_class=PutBack, tags=["SLA"])

_NO_ID = UUID(int=0)


@router.get("/calendars")
async def find_calendars(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[CalendarOut]:
    """List calendars, the usual one first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_calendars(session)
    return part_of(found, CalendarOut.of, cursor, limit)


@router.post("/calendars", status_code=201)
async def add_calendar(
    request: Request, response: Response, caller: LeadCaller, body: CalendarIn
) -> CalendarOut:
    """Add a calendar; the first one is the usual one."""
    calendar = await desk_of(request).calendars.add(body.form(), caller)
    return await _calendar(request, response, calendar)


@router.get("/calendars/{calendar}")
async def get_calendar(
    request: Request, response: Response, _: AgentCaller, calendar: UUID
) -> CalendarOut:
    """Return one calendar."""
    return await _calendar(request, response, calendar)


@router.put("/calendars/{calendar}")
async def change_calendar(
    request: Request,
    response: Response,
    caller: LeadCaller,
    calendar: UUID,
    body: CalendarIn,
    revision: IfMatch,
) -> CalendarOut:
    """Replace a calendar; open tickets follow it within a short while."""
    await desk_of(request).calendars.change(calendar, body.form(), caller, revision=revision)
    return await _calendar(request, response, calendar)


@router.delete("/calendars/{calendar}", status_code=204)
async def remove_calendar(
    request: Request, caller: LeadCaller, calendar: UUID, revision: IfMatch
) -> None:
    """Delete a calendar that no policy uses."""
    await desk_of(request).calendars.remove(calendar, caller, revision=revision)


@router.get("/sla-policies")
async def find_policies(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[PolicyOut]:
    """List policies in the order in which they are looked at."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_policies(session)
    return part_of(found, PolicyOut.of, cursor, limit)


@router.post("/sla-policies", status_code=201)
async def add_policy(
    request: Request, response: Response, caller: LeadCaller, body: PolicyIn
) -> PolicyOut:
    """Add a policy after all others."""
    policy = await desk_of(request).policies.add(body.policy(_NO_ID), caller)
    return await _policy(request, response, policy)


@router.put("/sla-policies/order")
async def order_policies(
    request: Request, caller: LeadCaller, body: PolicyOrder
) -> Page[PolicyOut]:
    """Put policies in order; those not named come after them."""
    order = [PolicyId(each) for each in body.order]
    await desk_of(request).policies.put_in_order(order, caller)
    return await find_policies(request, caller)


@router.get("/sla-policies/{policy}")
async def get_policy(
    request: Request, response: Response, _: AgentCaller, policy: UUID
) -> PolicyOut:
    """Return one policy."""
    return await _policy(request, response, policy)


@router.put("/sla-policies/{policy}")
async def change_policy(
    request: Request,
    response: Response,
    caller: LeadCaller,
    policy: UUID,
    body: PolicyIn,
    revision: IfMatch,
) -> PolicyOut:
    """Replace a policy; open tickets follow it within a short while."""
    await desk_of(request).policies.change(body.policy(policy), caller, revision=revision)
    return await _policy(request, response, policy)


@router.delete("/sla-policies/{policy}", status_code=204)
async def remove_policy(
    request: Request, caller: LeadCaller, policy: UUID, revision: IfMatch
) -> None:
    """Take a policy out of use."""
    await desk_of(request).policies.archive(PolicyId(policy), caller, revision=revision)


@router.get("/closing-rule")
async def get_closing(request: Request, response: Response, _: AgentCaller) -> ClosingOut:
    """Return when silent tickets come to their end."""
    return await _closing(request, response)


@router.put("/closing-rule")
async def set_closing(
    request: Request, response: Response, caller: LeadCaller, body: ClosingIn, revision: IfMatch
) -> ClosingOut:
    """Set when silent tickets come to their end."""
    closing = Closing(**body.model_dump())
    await desk_of(request).policies.set_closing(closing, caller, revision=revision)
    return await _closing(request, response)


@router.get("/tickets/{ticket}/promises")
async def get_promises(request: Request, _: AgentCaller, ticket: TicketName) -> PromiseOut:
    """Return what is promised in a ticket and how that stands."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        return PromiseOut.of(await promise_view(session, named))


async def _calendar(request: Request, response: Response, calendar: UUID) -> CalendarOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await calendar_view(session, calendar)
    tag(response, view.revision)
    return CalendarOut.of(view)


async def _policy(request: Request, response: Response, policy: UUID) -> PolicyOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await policy_view(session, policy)
    tag(response, view.revision)
    return PolicyOut.of(view)


async def _closing(request: Request, response: Response) -> ClosingOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await closing_view(session)
    tag(response, view.revision)
    return ClosingOut.of(view)
