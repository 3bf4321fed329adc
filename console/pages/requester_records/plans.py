"""Support plans: what organisations can agree on."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import revision_in
from console.pages.session import Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from console.words.states import CHANNEL
from core.domain.errors import Conflict, InvalidInput
from core.domain.plans import PlanId
from core.services.requester_records.plans import PlanDraft
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.requester_records.plans import list_plans, plan_view
from core.storage.queries.sla import list_policies

router = APIRouter(prefix="/console/admin/plans")


@router.get("")
async def show_plans(request: Request, _: Readers) -> Response:
    """List plans, with a form to add one."""
    return await _plans(request)


@router.post("")
async def add_plan(request: Request, signed_in: Leads) -> Response:
    """Add a plan."""
    draft = _draft(await form_of(request))
    try:
        await desk_of(request).plans.add(draft, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        wrong = error_in_words(error, translator(request))
        return await _plans(request, draft=draft, wrong=wrong)
    return RedirectResponse("/console/admin/plans", 303)


@router.get("/{plan}")
async def show_plan(request: Request, _: Readers, plan: UUID) -> Response:
    """Show a plan, with the policies that look at it."""
    return await _plan(request, PlanId(plan))


@router.post("/{plan}")
async def change_plan(request: Request, signed_in: Leads, plan: UUID) -> Response:
    """Replace a plan, take it out of use, or put it back."""
    form, named, plans = await form_of(request), PlanId(plan), desk_of(request).plans
    archived = text_field(form, "archived")
    if archived:
        work = plans.set_archived(named, signed_in.agent, archived=archived == "yes")
    else:
        work = plans.change(named, _draft(form), signed_in.agent, revision=revision_in(form))
    try:
        await work
    except (InvalidInput, Conflict) as error:
        wrong = error_in_words(error, translator(request))
        return await _plan(request, named, draft=_draft(form), wrong=wrong)
    return RedirectResponse("/console/admin/plans", 303)


def _draft(form: FormData) -> PlanDraft:
    chosen = [one for one in form.getlist("channels") if isinstance(one, str) and one in CHANNEL]
    return PlanDraft(
        name=text_field(form, "name"),
        channels=chosen,
        notes=text_field(form, "notes").replace("\r\n", "\n"),
    )


async def _plans(request: Request, *, draft: PlanDraft | None = None, wrong: str = "") -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = await list_plans(session, with_archived=True)
    return page(
        request,
        "requesters/plans.html",
        status=422 if wrong else 200,
        position=position,
        plans=found,
        draft=draft,
        wrong=wrong,
    )


async def _plan(
    request: Request, plan: PlanId, *, draft: PlanDraft | None = None, wrong: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = await plan_view(session, plan)
        policies = await list_policies(session)
    return page(
        request,
        "requesters/plan.html",
        status=422 if wrong else 200,
        position=position,
        plan=found,
        draft=draft or found,
        policies=[one for one in policies if str(plan) in one.conditions.get("plans", ())],
        wrong=wrong,
    )
