"""Rules in the API: kept, put in order, tried, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.automation.shapes import ActionBody, ConditionBody, WouldDoOut
from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller, ReaderCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, NewPlace, Page, Text
from console.desk import desk_of
from console.sight import sight_for
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput
from core.domain.ids import TicketId
from core.services.automation.failures import failure_from_json, failure_in_words
from core.services.automation.forms import (
    actions_from_json,
    actions_json,
    conditions_from_json,
    conditions_json,
)
from core.services.automation.rulebook import KeptRule
from core.services.automation.simulating import Tried
from core.storage.engine import storage_errors
from core.storage.queries.automation import RunView, runs_of

router = APIRouter(route_class=PutBack, prefix="/rules", tags=["automation"])


class RuleBody(Body):
    """When a rule looks, what has to hold, what it does."""

    name: Annotated[Text, Field(max_length=120)]
    trigger: Annotated[Text, Field(max_length=40)]
    every: Annotated[list[ConditionBody], Field(max_length=30)] = Field(default_factory=list)
    some: Annotated[list[ConditionBody], Field(max_length=30)] = Field(default_factory=list)
    actions: Annotated[list[ActionBody], Field(max_length=20)]
    is_on: bool = True
    stops: bool = False

    def rule(self) -> Rule:
        """Return the rule that is meant, or raise `InvalidInput`."""
        try:
            trigger = Trigger(self.trigger)
        except ValueError:
            raise InvalidInput("a rule looks when something happens: choose what") from None
        kept = {
            name: [one.model_dump() for one in getattr(self, name)] for name in ("every", "some")
        }
        return Rule(
            name=self.name,
            trigger=trigger,
            conditions=conditions_from_json(kept),
            actions=actions_from_json([one.model_dump() for one in self.actions]),
            is_on=self.is_on,
            stops=self.stops,
        )


class RuleOut(BaseModel):
    """A rule."""

    id: UUID
    name: str
    trigger: Trigger
    every: list[dict[str, str]]
    some: list[dict[str, str]]
    actions: list[dict[str, str]]
    is_on: bool
    stops: bool
    revision: int  # its entity tag

    @classmethod
    def of(cls, kept: KeptRule) -> RuleOut:
        """Return what the API tells of a rule."""
        rule = kept.rule
        return cls(
            id=kept.id,
            revision=kept.revision,
            name=rule.name,
            trigger=rule.trigger,
            **conditions_json(rule.conditions),
            actions=actions_json(rule.actions),
            is_on=rule.is_on,
            stops=rule.stops,
        )


class TriedOut(BaseModel):
    """A past ticket that a rule would have applied to."""

    ticket: int = Field(description="Its number.")
    ticket_id: UUID
    subject: str
    times: int = Field(description="How often the rule would have applied to it.")
    last_at: datetime
    actions: list[WouldDoOut]

    @classmethod
    def of(cls, tried: Tried) -> TriedOut:
        """Return what the API tells of `tried`."""
        would = tried.would_apply
        return cls(
            ticket=would.number,
            ticket_id=would.ticket,
            subject=would.subject,
            times=would.times,
            last_at=would.last_at,
            actions=[WouldDoOut.of(one) for one in tried.does],
        )


class DidOut(BaseModel):
    """One action of a rule, and why it was left out."""

    kind: str
    value: str
    left_out: str | None = Field(description="Why it was not done; null where it was.")

    @classmethod
    def of(cls, did: Mapping[str, Any]) -> DidOut:
        """Return what the API tells of an action in a rule's log."""
        failure = failure_from_json(did)
        return cls(
            kind=did["kind"],
            value=did["value"],
            left_out=None if failure is None else failure_in_words(failure, "en"),
        )


class RunOut(BaseModel):
    """That a rule applied to a ticket."""

    ticket: int = Field(description="Its number.")
    ticket_id: UUID
    at: datetime
    why: str = Field(description="What had changed, as a ticket's history calls it; or `idle`.")
    did: list[DidOut]

    @classmethod
    def of(cls, run: RunView) -> RunOut:
        """Return what the API tells of `run`."""
        return cls(
            ticket=run.number,
            ticket_id=run.ticket,
            at=run.at,
            why=run.why,
            did=[DidOut.of(did) for did in run.did],
        )


@router.get("")
async def list_rules(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[RuleOut]:
    """List the rules in the order in which they are looked at."""
    return part_of(await desk_of(request).rules.list(), RuleOut.of, cursor, limit)


@router.post("", status_code=201)
async def add_rule(request: Request, caller: LeadCaller, body: RuleBody) -> RuleOut:
    """Add a rule behind the others."""
    rules = desk_of(request).rules
    return RuleOut.of(await rules.kept(await rules.save(None, body.rule(), caller)))


@router.post("/dry-run")
async def try_body(
    request: Request,
    _: LeadCaller,
    body: RuleBody,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[TriedOut]:
    """Try a rule that is not kept, as `/rules/{rule}/dry-run` does one that is."""
    return await _tried(request, body.rule(), cursor, limit)


@router.get("/{rule}")
async def get_rule(request: Request, response: Response, _: AgentCaller, rule: UUID) -> RuleOut:
    """Return one rule."""
    kept = await desk_of(request).rules.kept(rule)
    tag(response, kept.revision)
    return RuleOut.of(kept)


@router.put("/{rule}")
async def change_rule(
    request: Request, caller: LeadCaller, rule: UUID, body: RuleBody, revision: IfMatch
) -> RuleOut:
    """Replace a rule."""
    rules = desk_of(request).rules
    await rules.save(rule, body.rule(), caller, revision=revision)
    return RuleOut.of(await rules.kept(rule))


@router.delete("/{rule}", status_code=204)
async def remove_rule(request: Request, caller: LeadCaller, rule: UUID) -> Response:
    """Delete a rule with its log."""
    await desk_of(request).rules.remove(rule, caller)
    return Response(status_code=204)


@router.post("/{rule}/move")
async def move_rule(request: Request, caller: LeadCaller, rule: UUID, body: NewPlace) -> RuleOut:
    """Put a rule at another place of the order in which rules are looked at."""
    rules = desk_of(request).rules
    await rules.put_at(rule, body.place, caller)
    return RuleOut.of(await rules.kept(rule))


@router.post("/{rule}/dry-run")
async def try_rule(
    request: Request,
    _: LeadCaller,
    rule: UUID,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[TriedOut]:
    """List which of the latest `limit` tickets a rule would have applied to; changes nothing.

    Each comes with what the actions would do to it as it is now. `next` leads to older tickets,
    also where none of these fits.
    """
    kept = await desk_of(request).rules.kept(rule)
    return await _tried(request, kept.rule, cursor, limit)


@router.get("/{rule}/runs")
async def list_runs(
    request: Request,
    _: ReaderCaller,
    rule: UUID,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
) -> Page[RunOut]:
    """List when a rule applied, latest first: to which ticket, why, and what it did."""
    desk = desk_of(request)
    await desk.rules.kept(rule)
    async with storage_errors(), desk.sessions() as session:
        sight = await sight_for(request, session)
        found = await runs_of(session, rule, sight=sight, before=cursor, limit=limit + 1)
    return Page(
        items=[RunOut.of(run) for run in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


async def _tried(request: Request, rule: Rule, cursor: UUID | None, limit: int) -> Page[TriedOut]:
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        sight = await sight_for(request, session)
    before = None if cursor is None else TicketId(cursor)
    trial = await desk.trials.of_rule(rule, sight=sight, before=before, tickets=limit)
    return Page(
        items=[TriedOut.of(one) for one in trial.tried],
        next=None if trial.next is None else str(trial.next),
    )
