"""The settings' pages of routing rules: their order, one rule, and a dry run on past tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.fields import id_field, list_field, number_field
from console.pages.session import Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.sight import sight_for
from console.words import teams as team_words
from console.words.errors import error_in_words
from core.domain.actor import LEADING, Role
from core.domain.errors import DeskError, InvalidInput, NotFound
from core.domain.ids import CategoryId, OrganisationId, TeamId
from core.domain.plans import PlanId
from core.domain.routing import Conditions, LanguageNeed, Rule, first_that_fits
from core.domain.teams import LEVELS
from core.services.access.access import SignedIn
from core.services.teams.rulebook import Policy
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.teams.routing import (
    choices_for_rules,
    latest_tickets,
    list_rules,
    rule_view,
    rules_in_force,
)
from core.storage.queries.teams.teams import assignment_policy, list_teams

router = APIRouter(prefix="/console/settings/routing")

_LIST = "/console/settings/routing"
_TRIED = 200


@router.get("")
async def show_rules(request: Request, signed_in: Readers) -> Response:
    """List the rules in their order, and what holds for all teams."""
    return await _rules(request, signed_in)


@router.get("/new")
async def show_blank(request: Request, _: Leads) -> Response:
    """Show the form of a new rule."""
    return await _form(request, None, None)


@router.post("/new")
async def add_rule(request: Request, signed_in: Leads) -> Response:
    """Add a rule after all others."""
    form = await form_of(request)
    try:
        await desk_of(request).staffing.rules.add(_rule(form), signed_in.agent)
    except DeskError as error:
        return await _form(request, None, _draft(form), error=error)
    return RedirectResponse(_LIST, 303)


@router.get("/dry-run")
async def dry_run(request: Request, _: Readers) -> Response:
    """Show where the newest tickets would go by the rules as they are now."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        rules = await rules_in_force(session)
        tickets = await latest_tickets(session, _TRIED, await sight_for(request, session))
        names = {
            team.id: team.name
            for team in await list_teams(session, datetime.now(UTC), with_archived=True)
        }
    tried = [(ticket, first_that_fits(rules, ticket.facts)) for ticket in tickets]
    return page(
        request,
        "routing_dry_run.html",
        position=position,
        tried=tried,
        own_rules=team_words.RULE_OF_ITSELF,
        names=names,
        moved=sum(
            rule is not None and (ticket.team is None or ticket.team.id != rule.team)
            for ticket, rule in tried
        ),
    )


@router.post("/policy")
async def set_policy(request: Request, signed_in: Leads) -> Response:
    """Set what holds for all teams."""
    form = await form_of(request)
    rules = desk_of(request).staffing.rules
    try:
        team = id_field(form, "default_team")
        async with storage_errors(), desk_of(request).sessions() as session:
            now = await assignment_policy(session)
        is_admin = signed_in.agent.role == Role.ADMIN
        policy = Policy(
            default_team=None if team is None else TeamId(team),
            offer_again_minutes=number_field(form, "offer_again_minutes"),
            unfinished_minutes=number_field(form, "unfinished_minutes"),
            own_tickets_only=text_field(form, "own_tickets_only") == "yes"
            if is_admin
            else now.own_tickets_only,
        )
        await rules.set_policy(policy, signed_in.agent)
    except DeskError as error:
        return await _rules(request, signed_in, error=error)
    return RedirectResponse(_LIST, 303)


@router.get("/{rule}")
async def show_rule(request: Request, _: Leads, rule: UUID) -> Response:
    """Show the form of a rule."""
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await rule_view(session, rule)
    return await _form(request, rule, view.rule)


@router.post("/{rule}")
async def change_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Replace what a rule says."""
    form = await form_of(request)
    try:
        await desk_of(request).staffing.rules.change(rule, _rule(form), signed_in.agent)
    except NotFound:
        raise
    except DeskError as error:
        return await _form(request, rule, _draft(form), error=error)
    return RedirectResponse(_LIST, 303)


@router.post("/{rule}/move")
async def move_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Put a rule one place up or down."""
    step = text_field(await form_of(request), "step")
    async with storage_errors(), desk_of(request).sessions() as session:
        order = [view.id for view in await list_rules(session)]
    if rule in order:
        place = order.index(rule) + (-1 if step == "up" else 1)
        await desk_of(request).staffing.rules.move(rule, place, signed_in.agent)
    return RedirectResponse(_LIST, 303)


@router.post("/{rule}/enabled")
async def enable_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Let a rule count, or not."""
    enabled = text_field(await form_of(request), "enabled") == "yes"
    await desk_of(request).staffing.rules.enable(rule, signed_in.agent, enabled=enabled)
    return RedirectResponse(_LIST, 303)


@router.post("/{rule}/remove")
async def remove_rule(request: Request, signed_in: Leads, rule: UUID) -> Response:
    """Remove a rule."""
    await desk_of(request).staffing.rules.remove(rule, signed_in.agent)
    return RedirectResponse(_LIST, 303)


def _rule(form: FormData) -> Rule:
    team, category = id_field(form, "team"), id_field(form, "category")
    if team is None:
        raise InvalidInput("there is no such team")
    need = text_field(form, "language_need")
    return Rule(
        id=None,
        name=text_field(form, "name"),
        conditions=Conditions(
            categories=frozenset(CategoryId(i) for i in _ids(form, "categories")),
            channels=frozenset(_chosen(form, "channels")),
            accounts=frozenset(_chosen(form, "accounts")),
            organisations=frozenset(OrganisationId(i) for i in _ids(form, "organisations")),
            plans=frozenset(PlanId(i) for i in _ids(form, "plans")),
            languages=frozenset(list_field(form, "languages")),
            words=tuple(list_field(form, "words")),
            reasons=frozenset(_chosen(form, "reasons")),
            vip_only=text_field(form, "vip_only") == "yes",
        ),
        team=TeamId(team),
        level=number_field(form, "level") or 1,
        category=None if category is None else CategoryId(category),
        skills=tuple(list_field(form, "skills")),
        skills_required=text_field(form, "skills_required") == "yes",
        language=LanguageNeed(need) if need in list(LanguageNeed) else LanguageNeed.PREFERRED,
    )


def _draft(form: FormData) -> Rule | None:
    """Return what was filled in, to be shown again; None where that cannot be."""
    try:
        return _rule(form)
    except DeskError:
        return None


def _chosen(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str) and "\x00" not in value]


def _ids(form: FormData, name: str) -> Sequence[UUID]:
    try:
        return [UUID(value) for value in _chosen(form, name)]
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None


def _said(request: Request, error: DeskError | None) -> str | None:
    return None if error is None else error_in_words(error, translator(request))


async def _names(session: AsyncSession) -> dict[str, Any]:
    teams = await list_teams(session, datetime.now(UTC))
    return {"teams": teams, "choices": await choices_for_rules(session)}


async def _rules(
    request: Request, signed_in: SignedIn, *, error: DeskError | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        rules = await list_rules(session)
        policy = await assignment_policy(session)
        names = await _names(session)
    return page(
        request,
        "routing.html",
        status=200 if error is None else 422,
        position=position,
        rules=rules,
        policy=policy,
        wrong=_said(request, error),
        said=team_words,
        may_change=signed_in.agent.role in LEADING,
        **names,
    )


async def _form(
    request: Request, name: UUID | None, rule: Rule | None, *, error: DeskError | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        names = await _names(session)
    return page(
        request,
        "routing_rule.html",
        status=200 if error is None else 422,
        position=position,
        name=name,
        rule=rule,
        wrong=_said(request, error),
        said=team_words,
        levels=LEVELS,
        **names,
    )
