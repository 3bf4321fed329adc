"""Routing rules in the API: their order, what holds for all teams, and a dry run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, NamedOut, NewPlace, Page, Text
from console.desk import ConsoleDesk, desk_of
from console.sight import sight_for
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import CategoryId, OrganisationId, TeamId, TicketId
from core.domain.plans import PlanId
from core.domain.routing import Conditions, LanguageNeed, Rule, first_that_fits
from core.services.teams.rulebook import Policy
from core.storage.engine import storage_errors
from core.storage.queries.teams.routing import (
    RuleView,
    latest_tickets,
    list_rules,
    rule_view,
    rules_in_force,
)
from core.storage.queries.teams.teams import assignment_policy, team_named

router = APIRouter(route_class=PutBack, prefix="/routing", tags=["routing"])

_Words = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=200)]
_Ids = Annotated[list[Annotated[UUID, Field(strict=False)]], Field(max_length=500)]


class ConditionsBody(Body):
    """What a rule asks of a ticket: of each kind that is given, one must fit."""

    categories: _Ids = Field(default_factory=list)
    channels: _Words = Field(default_factory=list)
    accounts: _Words = Field(default_factory=list)
    organisations: _Ids = Field(default_factory=list)
    plans: _Ids = Field(default_factory=list)
    languages: _Words = Field(default_factory=list)
    words: _Words = Field(default_factory=list)
    reasons: _Words = Field(default_factory=list)
    vip_only: bool = False


class RoutingRuleBody(Body):
    """Where the tickets go that fit, and what their agent should bring."""

    name: Annotated[Text, Field(max_length=200)]
    conditions: ConditionsBody = Field(default_factory=ConditionsBody)
    team: Annotated[Text, Field(max_length=100)]  # its id or name
    level: Annotated[int, Field(ge=1, le=3)] = 1
    category: Annotated[UUID, Field(strict=False)] | None = None  # for tickets without one
    skills: _Words = Field(default_factory=list)
    skills_required: bool = False
    language: Annotated[LanguageNeed, Field(strict=False)] = LanguageNeed.PREFERRED


class PolicyBody(Body):
    """What holds for all teams."""

    default_team: Annotated[Text, Field(max_length=100)] | None
    offer_again_minutes: Annotated[int, Field(ge=1)] | None
    unfinished_minutes: Annotated[int, Field(ge=1)] | None = 3 * 24 * 60
    own_tickets_only: bool


class RoutingRuleOut(BaseModel):
    """A routing rule."""

    id: UUID
    name: str
    enabled: bool
    conditions: ConditionsBody
    team: NamedOut
    level: int
    category: UUID | None
    skills: list[str]
    skills_required: bool
    language: LanguageNeed
    revision: int  # its entity tag

    @classmethod
    def of(cls, view: RuleView) -> RoutingRuleOut:
        """Return what the API tells of a rule."""
        rule = view.rule
        return cls(
            id=view.id,
            name=rule.name,
            enabled=view.is_enabled,
            conditions=ConditionsBody.model_validate(rule.conditions.as_json(), strict=False),
            team=NamedOut(id=view.team.id, name=view.team.name),
            level=rule.level,
            category=rule.category,
            skills=list(rule.skills),
            skills_required=rule.skills_required,
            language=rule.language,
            revision=view.revision,
        )


class RoutedOut(BaseModel):
    """Where a past ticket would go by the rules as they are now."""

    number: int
    subject: str
    created_at: datetime
    team: NamedOut | None  # it is in
    rule: str | None
    would_go_to: UUID | None  # a team
    level: int | None


@router.get("/rules")
async def get_rules(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[RoutingRuleOut]:
    """List the rules in their order."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_rules(session)
    return part_of(found, RoutingRuleOut.of, cursor, limit)


@router.post("/rules", status_code=201)
async def create_rule(
    request: Request, caller: LeadCaller, body: RoutingRuleBody
) -> RoutingRuleOut:
    """Add a rule after all others."""
    desk = desk_of(request)
    rule = await desk.staffing.rules.add(await _rule(desk, body), caller)
    return await _answer(desk, rule)


@router.put("/rules/{rule}")
async def put_rule(
    request: Request, caller: LeadCaller, rule: UUID, body: RoutingRuleBody, revision: IfMatch
) -> RoutingRuleOut:
    """Replace what a rule says."""
    desk = desk_of(request)
    await desk.staffing.rules.change(rule, await _rule(desk, body), caller, revision=revision)
    return await _answer(desk, rule)


@router.post("/rules/{rule}/move")
async def move_rule(
    request: Request, caller: LeadCaller, rule: UUID, body: NewPlace
) -> RoutingRuleOut:
    """Put a rule at another place of the order."""
    desk = desk_of(request)
    await desk.staffing.rules.move(rule, body.place - 1, caller)
    return await _answer(desk, rule)


@router.post("/rules/{rule}/enable")
async def enable_rule(request: Request, caller: LeadCaller, rule: UUID) -> RoutingRuleOut:
    """Let a rule count."""
    desk = desk_of(request)
    await desk.staffing.rules.enable(rule, caller, enabled=True)
    return await _answer(desk, rule)


@router.post("/rules/{rule}/disable")
async def disable_rule(request: Request, caller: LeadCaller, rule: UUID) -> RoutingRuleOut:
    """Let a rule not count for now."""
    desk = desk_of(request)
    await desk.staffing.rules.enable(rule, caller, enabled=False)
    return await _answer(desk, rule)


@router.delete("/rules/{rule}", status_code=204)
async def delete_rule(request: Request, caller: LeadCaller, rule: UUID) -> Response:
    """Remove a rule; the tickets it sent to a team stay there."""
    await desk_of(request).staffing.rules.remove(rule, caller)
    return Response(status_code=204)


@router.get("/dry-run")
async def dry_run(
    request: Request, _: AgentCaller, cursor: UUID | None = None, limit: Limit = 50
) -> Page[RoutedOut]:
    """Show where the newest tickets would go by the rules as they are now; changes nothing."""
    before = None if cursor is None else TicketId(cursor)
    async with storage_errors(), desk_of(request).sessions() as session:
        rules = await rules_in_force(session)
        sight = await sight_for(request, session)
        found = await latest_tickets(session, limit + 1, sight, before=before)
    tickets = found[:limit]
    tried = []
    for ticket in tickets:
        rule = first_that_fits(rules, ticket.facts)
        tried.append(
            RoutedOut(
                number=ticket.number,
                subject=ticket.subject,
                created_at=ticket.created_at,
                team=NamedOut.of(ticket.team),
                rule=None if rule is None else rule.name,
                would_go_to=None if rule is None else rule.team,
                level=None if rule is None else rule.level,
            )
        )
    return Page(items=tried, next=str(tickets[-1].id) if len(found) > limit else None)


@router.get("/policy")
async def get_policy(request: Request, response: Response, _: AgentCaller) -> PolicyBody:
    """Return what holds for all teams."""
    async with storage_errors(), desk_of(request).sessions() as session:
        row = await assignment_policy(session)
    tag(response, row.revision)
    return PolicyBody(
        default_team=None if row.default_team_id is None else str(row.default_team_id),
        offer_again_minutes=row.offer_again_minutes,
        unfinished_minutes=row.unfinished_minutes,
        own_tickets_only=row.own_tickets_only,
    )


@router.put("/policy")
async def put_policy(
    request: Request, response: Response, caller: LeadCaller, body: PolicyBody, revision: IfMatch
) -> PolicyBody:
    """Set what holds for all teams."""
    desk = desk_of(request)
    policy = Policy(
        default_team=None if body.default_team is None else await _team(desk, body.default_team),
        offer_again_minutes=body.offer_again_minutes,
        unfinished_minutes=body.unfinished_minutes,
        own_tickets_only=body.own_tickets_only,
    )
    await desk.staffing.rules.set_policy(policy, caller, revision=revision)
    return await get_policy(request, response, caller)


async def _team(desk: ConsoleDesk, name: str) -> TeamId:
    try:
        async with storage_errors(), desk.sessions() as session:
            return await team_named(session, name)
    except NotFound as error:
        raise InvalidInput(str(error)) from None


async def _rule(desk: ConsoleDesk, body: RoutingRuleBody) -> Rule:
    asked = body.conditions
    return Rule(
        id=None,
        name=body.name,
        conditions=Conditions(
            categories=frozenset(CategoryId(i) for i in asked.categories),
            channels=frozenset(asked.channels),
            accounts=frozenset(asked.accounts),
            organisations=frozenset(OrganisationId(i) for i in asked.organisations),
            plans=frozenset(PlanId(i) for i in asked.plans),
            languages=frozenset(asked.languages),
            words=tuple(asked.words),
            reasons=frozenset(asked.reasons),
            vip_only=asked.vip_only,
        ),
        team=await _team(desk, body.team),
        level=body.level,
        category=None if body.category is None else CategoryId(body.category),
        skills=tuple(body.skills),
        skills_required=body.skills_required,
        language=body.language,
    )


async def _answer(desk: ConsoleDesk, rule: UUID) -> RoutingRuleOut:
    async with storage_errors(), desk.sessions() as session:
        return RoutingRuleOut.of(await rule_view(session, rule))
