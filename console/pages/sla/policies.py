"""Service level policies and the rule by which silent tickets end, for leads and admins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import ConsoleDesk, desk_of
from console.pages.meanwhile import revision_in
from console.pages.session import Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from console.words.sla import CONDITION
from core.domain.errors import DeskError, InvalidInput
from core.domain.sla.policy import (
    CalendarId,
    ClockKind,
    ClockStart,
    Conditions,
    Policy,
    PolicyId,
    check,
)
from core.domain.ticket import Priority
from core.services.sla.clocks import recount_progress
from core.services.sla.rules import Closing, PromiseBook
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.sla import (
    PolicyView,
    closing_view,
    list_calendars,
    list_policies,
    policy_choices,
    policy_view,
)

router = APIRouter(prefix="/console/admin")

_HOUR = 60
_NO_ID = PolicyId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A policy's form as somebody filled it in."""

    name: str = ""
    conditions: dict[str, list[str]] = field(default_factory=dict)
    hours: dict[str, str] = field(default_factory=dict)  # of targets, by kind of clock
    minutes: dict[str, str] = field(default_factory=dict)
    start: str = ClockStart.HAND_OFF
    calendar: str = ""
    warn_percent: str = "80"
    raises_priority: bool = False
    tells_hours: bool = True
    revision: int = 0

    @classmethod
    def of(cls, view: PolicyView) -> Draft:
        """Return the form of a stored policy."""
        return cls(
            name=view.name,
            conditions={name: list(values) for name, values in view.conditions.items()},
            hours={kind: str(minutes // _HOUR or "") for kind, minutes in view.targets.items()},
            minutes={kind: str(minutes % _HOUR or "") for kind, minutes in view.targets.items()},
            start=view.start,
            calendar="" if view.calendar is None else str(view.calendar),
            warn_percent=str(view.warn_percent),
            raises_priority=view.raises_priority,
            tells_hours=view.tells_hours,
            revision=view.revision,
        )

    @classmethod
    def from_form(cls, form: FormData) -> Draft:
        """Return what was filled in."""
        return cls(
            name=text_field(form, "name"),
            conditions={
                name: [value for value in form.getlist(name) if isinstance(value, str)]
                for name in CONDITION
            },
            hours={kind: text_field(form, f"{kind}.hours").strip() for kind in ClockKind},
            minutes={kind: text_field(form, f"{kind}.minutes").strip() for kind in ClockKind},
            start=text_field(form, "start") or ClockStart.HAND_OFF,
            calendar=text_field(form, "calendar"),
            warn_percent=text_field(form, "warn_percent").strip(),
            raises_priority=text_field(form, "raises_priority") == "yes",
            tells_hours=text_field(form, "tells_hours") == "yes",
            revision=revision_in(form) or 0,
        )

    def policy(self, policy: PolicyId) -> Policy:
        """Return the policy that was filled in.

        Raises:
            InvalidInput: it cannot be one.
        """
        minutes = {
            kind: _number(self.hours.get(kind, "")) * _HOUR + _number(self.minutes.get(kind, ""))
            for kind in ClockKind
        }
        return check(
            Policy(
                id=policy,
                name=self.name,
                conditions=_conditions(self.conditions),
                targets={
                    kind: timedelta(minutes=count) for kind, count in minutes.items() if count
                },
                start=ClockStart(self.start)
                if self.start in set(ClockStart)
                else ClockStart.HAND_OFF,
                calendar=CalendarId(_id(self.calendar)) if self.calendar else None,
                warn_percent=_number(self.warn_percent),
                raises_priority=self.raises_priority,
                tells_hours=self.tells_hours,
            )
        )


@router.get("/policies")
async def show_policies(request: Request, _: Readers) -> Response:
    """List policies in order, and how far open tickets follow them."""
    async with storage_errors(), desk_of(request).sessions() as session:
        policies = await list_policies(session)
        done, of = await recount_progress(session)
        choices = await policy_choices(session)
        position = await feed_end(session)
    return page(
        request,
        "policies.html",
        position=position,
        policies=policies,
        choices=choices,
        done=done,
        of=of,
    )


@router.get("/policies/new")
async def new_policy(request: Request, _: Leads) -> Response:
    """Show an empty form."""
    return await _edit(request, Draft(), None)


@router.post("/policies/new")
async def add_policy(request: Request, signed_in: Leads) -> Response:
    """Add a policy after all others."""
    draft = Draft.from_form(await form_of(request))
    try:
        await desk_of(request).policies.add(draft.policy(_NO_ID), signed_in.agent)
    except DeskError as error:
        return await _edit(request, draft, None, error)
    return RedirectResponse("/console/admin/policies", 303)


@router.post("/policies/preview")
async def preview_policy(request: Request, _: Leads) -> Response:
    """Say when a ticket opened now would be due under the form."""
    draft = Draft.from_form(await form_of(request))
    return page(request, "parts/policy_preview.html", **await _previewed(request, draft))


@router.get("/policies/{policy}")
async def show_policy(request: Request, _: Readers, policy: UUID) -> Response:
    """Show a policy's form."""
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await policy_view(session, policy)
    return await _edit(request, Draft.of(view), view)


@router.post("/policies/{policy}")
async def change_policy(request: Request, signed_in: Leads, policy: UUID) -> Response:
    """Replace a policy."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        view = await policy_view(session, policy)
    draft = Draft.from_form(await form_of(request))
    try:
        await desk.policies.change(
            draft.policy(PolicyId(policy)), signed_in.agent, revision=draft.revision
        )
    except DeskError as error:
        return await _edit(request, draft, view, error)
    return RedirectResponse("/console/admin/policies", 303)


@router.post("/policies/{policy}/move")
async def move_policy(request: Request, signed_in: Leads, policy: UUID) -> Response:
    """Move a policy one place up or down."""
    is_up = text_field(await form_of(request), "where") == "up"
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        order = [PolicyId(each.id) for each in await list_policies(session)]
    if policy in order:
        place = order.index(PolicyId(policy))
        other = place - 1 if is_up else place + 1
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
            await desk.policies.put_in_order(order, signed_in.agent)
    return RedirectResponse("/console/admin/policies", 303)


@router.post("/policies/{policy}/remove")
async def remove_policy(request: Request, signed_in: Leads, policy: UUID) -> Response:
    """Take a policy out of use."""
    await desk_of(request).policies.archive(PolicyId(policy), signed_in.agent)
    return RedirectResponse("/console/admin/policies", 303)


@router.get("/closing")
async def show_closing(request: Request, _: Readers, saved: bool = False) -> Response:
    """Show when silent tickets end."""
    return await _closing(request, saved=saved)


@router.post("/closing")
async def set_closing(request: Request, signed_in: Leads) -> Response:
    """Set when silent tickets end."""
    form = await form_of(request)
    fields = ("remind_after_days", "solve_after_days", "close_after_days")
    filled = {name: text_field(form, name).strip() for name in fields}
    try:
        days = {name: _days(value) for name, value in filled.items()}
        await desk_of(request).policies.set_closing(Closing(**days), signed_in.agent)
    except DeskError as error:
        return await _closing(request, error=error, filled=filled)
    return RedirectResponse("/console/admin/closing?saved=1", 303)


async def _closing(
    request: Request,
    *,
    saved: bool = False,
    error: DeskError | None = None,
    filled: dict[str, str] | None = None,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await closing_view(session)
        position = await feed_end(session)
    kept = {
        name: "" if (days := getattr(view, name)) is None else str(days)
        for name in ("remind_after_days", "solve_after_days", "close_after_days")
    }
    return page(
        request,
        "closing.html",
        status=200 if error is None else 422,
        position=position,
        filled=filled or kept,
        saved=saved,
        wrong=None if error is None else error_in_words(error, translator(request)),
    )


async def _edit(
    request: Request, draft: Draft, view: PolicyView | None, error: DeskError | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        choices = await policy_choices(session)
        calendars = await list_calendars(session)
        position = await feed_end(session)
    return page(
        request,
        "policy_edit.html",
        status=200 if error is None else 422,
        position=position,
        policy=view,
        choices=choices,
        calendars=calendars,
        kinds=list(ClockKind),
        priorities=list(Priority),
        wrong=None if error is None else error_in_words(error, translator(request)),
        **await _previewed(request, draft),
    )


async def _previewed(request: Request, draft: Draft) -> dict[str, Any]:
    try:
        due = await _due(desk_of(request), draft.policy(_NO_ID))
    except DeskError:
        due = {}
    return {"draft": draft, "due": due}


async def _due(desk: ConsoleDesk, policy: Policy) -> dict[ClockKind, datetime]:
    """Return when each promise to a ticket opened now would be due."""
    async with storage_errors(), desk.sessions() as session:
        rules = await PromiseBook().current(session)
    if policy.calendar is not None and policy.calendar not in rules.hours:
        raise InvalidInput("there is no such calendar")
    hours, now = rules.hours_of(policy), datetime.now(UTC)
    return {kind: hours.later(now, target) for kind, target in policy.targets.items()}


def _conditions(wanted: dict[str, list[str]]) -> Conditions:
    return Conditions(
        organisations=frozenset(_id(each) for each in wanted.get("organisations", ())),
        priorities=frozenset(
            Priority(each) for each in wanted.get("priorities", ()) if each in set(Priority)
        ),
        categories=frozenset(_id(each) for each in wanted.get("categories", ())),
        channels=frozenset(wanted.get("channels", ())),
        teams=frozenset(_id(each) for each in wanted.get("teams", ())),
        plans=frozenset(_id(each) for each in wanted.get("plans", ())),
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("there is nothing of this name to choose") from None


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidInput("a target is a number")
    return int(text)


def _days(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidInput("a number of days is a whole number")
    return int(text)
