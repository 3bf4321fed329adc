"""Rules: list, edit, try on past tickets, and what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import func, select
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.automation.forms import (
    actions_in,
    conditions_in,
    shown_actions,
    shown_conditions,
    typed_rows,
)
from console.pages.automation.names import Names, load_names
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Leads, form_of, text_field
from console.pages.view import language_of, page, times_for, translator
from console.sight import sight_for
from console.times import Times
from console.words import automation as said
from console.words.changes import change_in_words
from console.words.errors import error_in_words
from console.words.states import Translate
from core.domain.automation.actions import MAX_ACTIONS, ActionKind
from core.domain.automation.conditions import MAX_CONDITIONS, Conditions
from core.domain.automation.fields import Field, fitting
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput, Outdated
from core.services.access.access import SignedIn
from core.services.automation.failures import failure_from_json, failure_in_words
from core.services.automation.simulating import Trial, WouldDo
from core.services.automation.trying import WouldApply
from core.storage.engine import storage_errors
from core.storage.queries.automation import RunView, runs_of
from core.storage.queries.feed import feed_end
from core.storage.tables import AutomationRule, AutomationRun

router = APIRouter(prefix="/console/admin/rules")

_SHOWN_RUNS = 50
_SHOWN_TRIED = 20


@router.get("")
async def show_rules(request: Request, _: Leads) -> Response:
    """List the rules in their order, with how often each applied in the last week."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        rows = (
            await session.scalars(
                select(AutomationRule).order_by(AutomationRule.position, AutomationRule.id)
            )
        ).all()
        week = func.now() - func.make_interval(0, 0, 1)
        counts = await session.execute(
            select(AutomationRun.rule_id, func.count())
            .where(AutomationRun.at > week)
            .group_by(AutomationRun.rule_id)
        )
        ran = {row[0]: row[1] for row in counts}
    return page(request, "rules.html", position=position, rules=rows, ran=ran, said=said)


@router.get("/new")
async def new_rule(request: Request, signed_in: Leads) -> Response:
    """Show an empty form."""
    return await _form(
        request, signed_in, None, {"name": "", "trigger": Trigger.OPENED, "is_on": True}
    )


@router.get("/{rule}")
async def show_rule(
    request: Request,
    signed_in: Leads,
    rule: UUID,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Show a rule, and what it did lately, or before that."""
    kept = await desk_of(request).rules.kept(rule)
    return await _form(
        request, signed_in, rule, _shown(kept.rule), revision=kept.revision, before=before
    )


@router.post("/new")
async def add_rule(request: Request, signed_in: Leads) -> Response:
    """Add a rule behind the others, or try it."""
    return await _save(request, signed_in, None)


@router.post("/{rule}")
async def change_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Replace a rule, or try it."""
    return await _save(request, signed_in, rule)


@router.post("/{rule}/remove")
async def remove_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Delete a rule with its log."""
    await desk_of(request).rules.remove(rule, signed_in.agent)
    return RedirectResponse("/console/admin/rules", 303)


@router.post("/{rule}/move")
async def move_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Put a rule one place up or down."""
    step = -1 if text_field(await form_of(request), "to") == "up" else 1
    await desk_of(request).rules.move(rule, step, signed_in.agent)
    return RedirectResponse("/console/admin/rules", 303)


async def _save(request: Request, signed_in: Leads, rule: UUID | None) -> Response:
    form = await form_of(request)
    revision = revision_in(form)
    async with storage_errors(), desk_of(request).sessions() as session:
        names = await load_names(session, translator(request), language_of(request))
    try:
        wanted = _read(form, names)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _form(
            request, signed_in, rule, _typed(form), revision=revision, wrong=wrong, status=422
        )
    if text_field(form, "do") == "try":
        async with storage_errors(), desk_of(request).sessions() as session:
            sight = await sight_for(request, session)
        trial = await desk_of(request).trials.of_rule(wanted, sight=sight, simulated=_SHOWN_TRIED)
        return await _form(request, signed_in, rule, _shown(wanted), revision=revision, trial=trial)
    rules = desk_of(request).rules
    try:
        await rules.save(rule, wanted, signed_in.agent, revision=revision)
    except Outdated:
        assert rule is not None
        revision = (await rules.kept(rule)).revision
        return await _form(
            request, signed_in, rule, _typed(form), revision=revision, outdated=True, status=412
        )
    return RedirectResponse("/console/admin/rules", 303)


def _read(form: FormData, names: Names) -> Rule:
    try:
        trigger = Trigger(text_field(form, "trigger"))
    except ValueError:
        raise InvalidInput("a rule looks when something happens: choose what") from None
    return Rule(
        name=text_field(form, "name"),
        trigger=trigger,
        conditions=Conditions(
            every=conditions_in(form, "every", names), some=conditions_in(form, "some", names)
        ),
        actions=actions_in(form, names),
        is_on=text_field(form, "is_on") == "yes",
        stops=text_field(form, "stops") == "yes",
    )


def _shown(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "trigger": rule.trigger,
        "is_on": rule.is_on,
        "stops": rule.stops,
        "every": rule.conditions.every,
        "some": rule.conditions.some,
        "actions": rule.actions,
    }


def _typed(form: FormData) -> dict[str, Any]:
    """Return what was typed, to be shown again beside what is wrong with it."""
    return {
        "name": text_field(form, "name"),
        "trigger": text_field(form, "trigger"),
        "is_on": text_field(form, "is_on") == "yes",
        "stops": text_field(form, "stops") == "yes",
        "every": typed_rows(form, "every-field", "every-comparison", "every-value"),
        "some": typed_rows(form, "some-field", "some-comparison", "some-value"),
        "actions": typed_rows(form, "action-kind", "action-value"),
        "as_typed": True,
    }


def _left_out(did: Mapping[str, Any], language: str) -> str:
    """Return why an action was left out, from a rule's log."""
    failure = failure_from_json(did)
    return "" if failure is None else failure_in_words(failure, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDeed:
    """An action of a rule that is tried, and what it would do to a ticket, in words."""

    kind: str
    value: str  # with names for ids
    left_out: str  # why, where it would be
    lines: Sequence[str]


def _tried(
    request: Request, signed_in: SignedIn, trial: Trial, name: str, names: Names
) -> Sequence[tuple[WouldApply, Sequence[ShownDeed]]]:
    """Return the tickets that a trial found, each with what the rule would do to it."""
    t, language, times = translator(request), signed_in.agent.language, times_for(request)
    return [
        (
            one.would_apply,
            [
                ShownDeed(
                    kind=did.action.key,
                    value=names.shown(did.action.key, did.action.value),
                    left_out="" if did.failure is None else failure_in_words(did.failure, language),
                    lines=_deed_in_words(did, name, t, times),
                )
                for did in one.does
            ],
        )
        for one in trial.tried
    ]


def _deed_in_words(did: WouldDo, name: str, t: Translate, times: Times) -> Sequence[str]:
    changes = (change_in_words(replace(one, actor_name=name), t, times) for one in did.changes)
    lines = [t("In its history: {words}", words=change) for change in changes]
    lines += [t("The requester would read: {words}", words=said) for said in did.says]
    lines += [t("The note would be: {words}", words=said) for said in did.notes]
    if did.tells:
        lines.append(t("Would be told: {names}", names=", ".join(did.tells)))
    if did.action.kind is ActionKind.WEBHOOK and did.failure is None:
        lines.append(t("The webhook would be called."))
    if not lines and did.failure is None:
        lines.append(t("Nothing would change."))
    return lines


async def _form(
    request: Request,
    signed_in: SignedIn,
    rule: UUID | None,
    shown: dict[str, Any],
    *,
    revision: int | None = None,
    outdated: bool = False,
    wrong: str | None = None,
    trial: Trial | None = None,
    before: int | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        names = await load_names(session, translator(request), language_of(request))
        runs: Sequence[RunView] = ()
        if rule is not None:
            sight = await sight_for(request, session)
            runs = await runs_of(session, rule, sight=sight, before=before, limit=_SHOWN_RUNS + 1)
    blank: dict[str, Any] = {"stops": False, "every": (), "some": (), "actions": ()}
    shown = blank | {"as_typed": False} | shown
    if not shown["as_typed"]:
        shown["every"] = shown_conditions(shown["every"], names)
        shown["some"] = shown_conditions(shown["some"], names)
        shown["actions"] = shown_actions(shown["actions"], names)
    return page(
        request,
        "rule_edit.html",
        status=status,
        position=position,
        rule=rule,
        shown=shown,
        revision=revision,
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, "rule", rule) if outdated else None,
        names=names,
        runs=runs[:_SHOWN_RUNS],
        next=runs[_SHOWN_RUNS - 1].id if len(runs) > _SHOWN_RUNS else None,
        is_older=before is not None,
        trial=trial,
        tried=[] if trial is None else _tried(request, signed_in, trial, shown["name"], names),
        wrong=wrong,
        said=said,
        most_conditions=MAX_CONDITIONS,
        most_actions=MAX_ACTIONS,
        fitting={field: " ".join(fitting(field)) for field in Field},
        left_out=partial(_left_out, language=signed_in.agent.language),
    )
