"""Rules, macros and webhooks in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from console.api.preconditions import IfMatch
from console.api.principal import AdminCaller, AgentCaller, LeadCaller
from console.api.shapes import Body, Text
from console.desk import desk_of
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput, NotFound
from core.services.automation.forms import (
    actions_from_json,
    actions_json,
    conditions_from_json,
    conditions_json,
)
from core.services.automation.macros import MacroForm
from core.services.automation.rulebook import KeptRule
from core.services.automation.webhooks import WebhookForm
from core.storage.engine import storage_errors
from core.storage.tables import Macro, Webhook, WebhookDelivery

router = APIRouter(tags=["automation"])

_LATEST = 100


class ConditionBody(Body):
    """One comparison; several values, between `|`, mean any of them.

    `field:<id>` is a field of a category's form.
    """

    field: Annotated[Text, Field(max_length=60)]
    comparison: Annotated[Text, Field(max_length=40)]
    value: Annotated[Text, Field(max_length=2_000)] = ""


class ActionBody(Body):
    """One thing to do, with its value: a name, an id, a tag or a template.

    `set_field:<id>` sets a field of a category's form.
    """

    kind: Annotated[Text, Field(max_length=60)]
    value: Annotated[Text, Field(max_length=20_000)] = ""


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


class MacroBody(Body):
    """A prepared answer, with what else is done when it is sent."""

    name: Annotated[Text, Field(max_length=120)]
    text: Annotated[Text, Field(max_length=20_000)] = ""
    language: Annotated[Text, Field(max_length=12)] | None = None
    team: Annotated[UUID, Field(strict=False)] | None = None
    actions: Annotated[list[ActionBody], Field(max_length=20)] = Field(default_factory=list)

    def form(self) -> MacroForm:
        """Return the macro that is meant, or raise `InvalidInput`."""
        return MacroForm(
            name=self.name,
            text=self.text,
            language=self.language,
            team=self.team,
            actions=actions_from_json([one.model_dump() for one in self.actions]),
        )


class MacroOut(BaseModel):
    """A macro, and how often it was chosen."""

    id: UUID
    name: str
    text: str
    language: str | None
    team: UUID | None
    actions: list[dict[str, Any]]
    used: int
    revision: int  # its entity tag; another whenever it was chosen


class WebhookBody(Body):
    """Somewhere that is told of changes."""

    name: Annotated[Text, Field(max_length=120)]
    url: Annotated[Text, Field(max_length=2_000)]
    events: Annotated[list[Annotated[Text, Field(max_length=40)]], Field(max_length=10)] = Field(
        default_factory=list
    )
    is_on: bool = True

    def form(self) -> WebhookForm:
        """Return the webhook that is meant, or raise `InvalidInput`."""
        return WebhookForm(name=self.name, url=self.url, events=self.events, is_on=self.is_on)


class SecretBody(Body):
    """What becomes of the secret that is replaced."""

    at_once: bool = False  # it is void now, and not in a day


class WebhookOut(BaseModel):
    """A webhook. Its secret is told once, when it is made or renewed."""

    id: UUID
    name: str
    url: str
    events: list[str]
    is_on: bool
    revision: int  # its entity tag
    secret: str | None = None


class CallOut(BaseModel):
    """One call of a webhook."""

    id: UUID
    event: str
    status: str  # waiting, done or failed
    attempts: int
    answer: str | None
    created_at: datetime
    finished_at: datetime | None


@router.get("/rules")
async def list_rules(request: Request, _: AgentCaller) -> list[RuleOut]:
    """List the rules in the order in which they are looked at."""
    return [RuleOut.of(kept) for kept in await desk_of(request).rules.list()]


@router.post("/rules", status_code=201)
async def add_rule(request: Request, caller: LeadCaller, body: RuleBody) -> RuleOut:
    """Add a rule behind the others."""
    rules = desk_of(request).rules
    return RuleOut.of(await rules.kept(await rules.save(None, body.rule(), caller)))


@router.put("/rules/{rule}")
async def change_rule(
    request: Request, caller: LeadCaller, rule: UUID, body: RuleBody, revision: IfMatch
) -> RuleOut:
    """Replace a rule."""
    rules = desk_of(request).rules
    await rules.save(rule, body.rule(), caller, revision=revision)
    return RuleOut.of(await rules.kept(rule))


@router.delete("/rules/{rule}", status_code=204)
async def remove_rule(request: Request, caller: LeadCaller, rule: UUID) -> Response:
    """Delete a rule with its log."""
    await desk_of(request).rules.remove(rule, caller)
    return Response(status_code=204)


@router.get("/macros")
async def list_macros(request: Request, _: AgentCaller) -> list[MacroOut]:
    """List the macros by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        rows = (await session.scalars(select(Macro).order_by(Macro.name))).all()
    return [_macro(row) for row in rows]


@router.post("/macros", status_code=201)
async def add_macro(request: Request, caller: LeadCaller, body: MacroBody) -> MacroOut:
    """Add a macro."""
    return await _saved(request, await desk_of(request).macros.save(None, body.form(), caller))


@router.put("/macros/{macro}")
async def change_macro(
    request: Request, caller: LeadCaller, macro: UUID, body: MacroBody, revision: IfMatch
) -> MacroOut:
    """Replace a macro."""
    await desk_of(request).macros.save(macro, body.form(), caller, revision=revision)
    return await _saved(request, macro)


@router.delete("/macros/{macro}", status_code=204)
async def remove_macro(request: Request, caller: LeadCaller, macro: UUID) -> Response:
    """Delete a macro."""
    await desk_of(request).macros.remove(macro, caller)
    return Response(status_code=204)


@router.get("/webhooks")
async def list_webhooks(request: Request, _: AdminCaller) -> list[WebhookOut]:
    """List the outgoing webhooks."""
    async with storage_errors(), desk_of(request).sessions() as session:
        rows = (await session.scalars(select(Webhook).order_by(Webhook.name))).all()
    return [_webhook(row) for row in rows]


@router.post("/webhooks", status_code=201)
async def add_webhook(request: Request, caller: AdminCaller, body: WebhookBody) -> WebhookOut:
    """Add an outgoing webhook; the answer tells the secret it signs with, this once."""
    name, secret = await desk_of(request).webhooks.add(body.form(), caller)
    return WebhookOut(id=name, secret=secret, revision=1, **body.model_dump())


@router.put("/webhooks/{webhook}")
async def change_webhook(
    request: Request, caller: AdminCaller, webhook: UUID, body: WebhookBody, revision: IfMatch
) -> WebhookOut:
    """Replace a webhook's form; its secret stays."""
    desk = desk_of(request)
    await desk.webhooks.change(webhook, body.form(), caller, revision=revision)
    async with storage_errors(), desk.sessions() as session:
        return _webhook(await session.get_one(Webhook, webhook))


@router.post("/webhooks/{webhook}/secret")
async def renew_secret(
    request: Request, caller: AdminCaller, webhook: UUID, body: SecretBody, revision: IfMatch
) -> WebhookOut:
    """Give a webhook another secret, which the answer tells this once.

    Unless it is void `at_once`, the old one signs the calls of the next day too.
    """
    desk = desk_of(request)
    secret = await desk.webhooks.renew_secret(
        webhook, caller, at_once=body.at_once, revision=revision
    )
    async with storage_errors(), desk.sessions() as session:
        answer = _webhook(await session.get_one(Webhook, webhook))
    return answer.model_copy(update={"secret": secret})


@router.delete("/webhooks/{webhook}", status_code=204)
async def remove_webhook(request: Request, caller: AdminCaller, webhook: UUID) -> Response:
    """Delete a webhook with what is known of its calls."""
    await desk_of(request).webhooks.remove(webhook, caller)
    return Response(status_code=204)


@router.get("/webhooks/{webhook}/calls")
async def list_calls(request: Request, _: AdminCaller, webhook: UUID) -> list[CallOut]:
    """List a webhook's latest calls, and what became of them."""
    async with storage_errors(), desk_of(request).sessions() as session:
        if await session.get(Webhook, webhook) is None:
            raise NotFound("there is no such webhook")
        rows = await session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook)
            .order_by(WebhookDelivery.id.desc())
            .limit(_LATEST)
        )
        return [CallOut.model_validate(row, from_attributes=True) for row in rows]


@router.post("/webhooks/{webhook}/calls/{call}/repeat", status_code=202)
async def repeat_call(request: Request, caller: AdminCaller, webhook: UUID, call: UUID) -> Response:
    """Make a call again that is over."""
    await desk_of(request).webhooks.repeat(webhook, call, caller)
    return Response(status_code=202)


async def _saved(request: Request, macro: UUID) -> MacroOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        return _macro(await session.get_one(Macro, macro))


def _webhook(row: Webhook) -> WebhookOut:
    return WebhookOut(
        id=row.id,
        name=row.name,
        url=row.url,
        events=row.events,
        is_on=row.is_on,
        revision=row.revision,
    )


def _macro(row: Macro) -> MacroOut:
    return MacroOut(
        id=row.id,
        name=row.name,
        text=row.text,
        language=row.language,
        team=row.team_id,
        actions=row.actions,
        used=row.used,
        revision=row.revision,
    )
