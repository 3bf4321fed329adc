"""Outgoing webhooks and their calls in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from console.api.parts import first_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AdminCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, Page, Text
from console.desk import desk_of
from core.domain.automation.calls import CallProblem
from core.domain.errors import NotFound
from core.services.automation.webhooks import WebhookForm
from core.storage.engine import storage_errors
from core.storage.queries.automation import calls_of
from core.storage.queries.by_name import from_row
from core.storage.tables import Webhook, WebhookDelivery

router = APIRouter(route_class=PutBack, prefix="/webhooks", tags=["automation"])


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


CallStatus = Literal["waiting", "done", "failed"]


class CallOut(BaseModel):
    """One call of a webhook."""

    id: UUID
    event: str
    status: CallStatus
    attempts: int
    answer: str | None = Field(description="The last answer, or the error's own words.")
    problem: CallProblem | None = Field(description="Why it was not taken when it was last made.")
    next_at: datetime | None = Field(description="When one that waits is made next.")
    created_at: datetime
    finished_at: datetime | None


class MadeOut(CallOut):
    """One call of a webhook, with its body."""

    payload: dict[str, Any]


@router.get("")
async def list_webhooks(
    request: Request, _: AdminCaller, cursor: UUID | None = None, limit: Limit = 50
) -> Page[WebhookOut]:
    """List the outgoing webhooks."""
    async with storage_errors(), desk_of(request).sessions() as session:
        here = await from_row(session, Webhook.name, Webhook.id, cursor)
        query = select(Webhook).where(here).order_by(Webhook.name, Webhook.id).limit(limit + 1)
        found = (await session.scalars(query)).all()
    return first_of(found, _webhook, limit)


@router.post("", status_code=201)
async def add_webhook(request: Request, caller: AdminCaller, body: WebhookBody) -> WebhookOut:
    """Add an outgoing webhook; the answer tells the secret it signs with, this once."""
    name, secret = await desk_of(request).webhooks.add(body.form(), caller)
    return WebhookOut(id=name, secret=secret, revision=1, **body.model_dump())


@router.get("/{webhook}")
async def get_webhook(
    request: Request, response: Response, _: AdminCaller, webhook: UUID
) -> WebhookOut:
    """Return one outgoing webhook."""
    found = await _kept(request, webhook)
    tag(response, found.revision)
    return found


@router.put("/{webhook}")
async def change_webhook(
    request: Request, caller: AdminCaller, webhook: UUID, body: WebhookBody, revision: IfMatch
) -> WebhookOut:
    """Replace a webhook's form; its secret stays."""
    desk = desk_of(request)
    await desk.webhooks.change(webhook, body.form(), caller, revision=revision)
    return await _kept(request, webhook)


@router.post("/{webhook}/secret")
async def renew_secret(
    request: Request,
    caller: AdminCaller,
    webhook: UUID,
    revision: IfMatch,
    body: SecretBody | None = None,
) -> WebhookOut:
    """Give a webhook another secret, which the answer tells this once.

    Unless it is void `at_once`, the old one signs the calls of the next day too.
    """
    desk = desk_of(request)
    secret = await desk.webhooks.renew_secret(
        webhook, caller, at_once=body is not None and body.at_once, revision=revision
    )
    return (await _kept(request, webhook)).model_copy(update={"secret": secret})


@router.delete("/{webhook}", status_code=204)
async def remove_webhook(request: Request, caller: AdminCaller, webhook: UUID) -> Response:
    """Delete a webhook with what is known of its calls."""
    await desk_of(request).webhooks.remove(webhook, caller)
    return Response(status_code=204)


@router.get("/{webhook}/calls")
async def list_calls(
    request: Request,
    _: AdminCaller,
    webhook: UUID,
    status: Annotated[CallStatus | None, Query(description="What became of them.")] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[CallOut]:
    """List a webhook's calls, the latest first, and what became of them."""
    await _kept(request, webhook)
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await calls_of(session, webhook, status=status, before=cursor, limit=limit + 1)
    return Page(
        items=[CallOut.model_validate(row, from_attributes=True) for row in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/{webhook}/calls/{call}")
async def get_call(request: Request, _: AdminCaller, webhook: UUID, call: UUID) -> MadeOut:
    """Return one call of a webhook, with what it tells."""
    async with storage_errors(), desk_of(request).sessions() as session:
        row = await session.get(WebhookDelivery, call)
    if row is None or row.webhook_id != webhook:
        raise NotFound("there is no such call")
    return MadeOut.model_validate(row, from_attributes=True)


@router.post("/{webhook}/calls/{call}/repeat", status_code=202)
async def repeat_call(request: Request, caller: AdminCaller, webhook: UUID, call: UUID) -> Response:
    """Make a call again that is over, or one that waits at once."""
    await desk_of(request).webhooks.repeat(webhook, call, caller)
    return Response(status_code=202)


async def _kept(request: Request, webhook: UUID) -> WebhookOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        row = await session.get(Webhook, webhook)
    if row is None:
        raise NotFound("there is no such webhook")
    return _webhook(row)


def _webhook(row: Webhook) -> WebhookOut:
    return WebhookOut(
        id=row.id,
        name=row.name,
        url=row.url,
        events=row.events,
        is_on=row.is_on,
        revision=row.revision,
    )
