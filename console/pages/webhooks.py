"""Outgoing webhooks: list, edit, and what became of their calls."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from console import automation_words as said
from console.desk import desk_of
from console.pages.automation_forms import optional_id
from console.pages.automation_names import load_names
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words import error_in_words
from core.domain.automation.alerts import HookFormat, ReportMapping
from core.domain.errors import InvalidInput, NotFound
from core.services.automation.incoming import HookForm
from core.services.automation.webhooks import EVENTS, WebhookForm
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.tables import IncomingHook, Webhook, WebhookDelivery

router = APIRouter(prefix="/console/admin/webhooks")

_SHOWN_CALLS = 50


@router.get("")
async def show_webhooks(request: Request, _: Admins) -> Response:
    """List the webhooks, with a form to add one."""
    return await _list(request)


@router.post("")
async def add_webhook(request: Request, signed_in: Admins) -> Response:
    """Add a webhook and show its secret, once."""
    form = await form_of(request)
    shown = {"name": text_field(form, "name"), "url": text_field(form, "url")}
    try:
        wanted = WebhookForm(
            name=shown["name"],
            url=shown["url"],
            events=[event for event in EVENTS if text_field(form, event) == "yes"],
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _list(request, wrong=wrong, filled=shown, status=422)
    _, secret = await desk_of(request).webhooks.add(wanted, signed_in.agent)
    return await _list(request, secret=secret)


@router.get("/incoming")
async def to_webhooks(_: Admins) -> Response:
    """Lead back from the page that showed an address."""
    return RedirectResponse("/console/admin/webhooks", 303)


@router.post("/incoming")
async def add_incoming(request: Request, signed_in: Admins) -> Response:
    """Add an address that a program reports to, and show it, once."""
    form = await form_of(request)
    desk = desk_of(request)
    try:
        is_mapped = text_field(form, "format") == HookFormat.MAPPED
        mapping = (
            ReportMapping(
                key=text_field(form, "key"),
                subject=text_field(form, "subject"),
                text=text_field(form, "text"),
                priority=text_field(form, "priority"),
                over_path=text_field(form, "over_path"),
                over_values=tuple(
                    one.strip() for one in text_field(form, "over_values").split("|") if one.strip()
                ),
            )
            if is_mapped
            else None
        )
        wanted = HookForm(
            name=text_field(form, "name"),
            format=HookFormat.MAPPED if is_mapped else HookFormat.ALERTMANAGER,
            mapping=mapping,
            team=optional_id(text_field(form, "team")),
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _list(request, wrong=wrong, status=422)
    _, token = await desk.incoming_hooks.add(wanted, signed_in.agent)
    return await _list(request, address=f"{desk.base_url}/api/v1/hooks/{token}")


@router.post("/incoming/{hook}/remove")
async def remove_incoming(request: Request, signed_in: Admins, hook: UUID) -> Response:
    """Forget an address that a program reports to."""
    await desk_of(request).incoming_hooks.remove(hook, signed_in.agent)
    return RedirectResponse("/console/admin/webhooks", 303)


@router.get("/{webhook}")
async def show_webhook(request: Request, _: Admins, webhook: UUID) -> Response:
    """Show a webhook and its latest calls."""
    return await _one(request, webhook)


@router.post("/{webhook}")
async def change_webhook(request: Request, signed_in: Admins, webhook: UUID) -> Response:
    """Replace what an admin may change of a webhook."""
    form = await form_of(request)
    try:
        wanted = WebhookForm(
            name=text_field(form, "name"),
            url=text_field(form, "url"),
            events=[event for event in EVENTS if text_field(form, event) == "yes"],
            is_on=text_field(form, "is_on") == "yes",
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _one(request, webhook, wrong=wrong, status=422)
    await desk_of(request).webhooks.change(webhook, wanted, signed_in.agent)
    return RedirectResponse(f"/console/admin/webhooks/{webhook}", 303)


@router.post("/{webhook}/remove")
async def remove_webhook(request: Request, signed_in: Admins, webhook: UUID) -> Response:
    """Delete a webhook."""
    await desk_of(request).webhooks.remove(webhook, signed_in.agent)
    return RedirectResponse("/console/admin/webhooks", 303)


@router.post("/{webhook}/calls/{call}")
async def repeat_call(request: Request, signed_in: Admins, webhook: UUID, call: UUID) -> Response:
    """Make a call again."""
    await desk_of(request).webhooks.repeat(webhook, call, signed_in.agent)
    return RedirectResponse(f"/console/admin/webhooks/{webhook}", 303)


async def _list(
    request: Request,
    *,
    wrong: str | None = None,
    secret: str | None = None,
    address: str | None = None,
    filled: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        rows = (await session.scalars(select(Webhook).order_by(Webhook.name))).all()
        hooks = (await session.scalars(select(IncomingHook).order_by(IncomingHook.name))).all()
        names = await load_names(session, translator(request))
    return page(
        request,
        "webhooks.html",
        status=status,
        position=position,
        webhooks=rows,
        hooks=hooks,
        address=address,
        teams=names.of["team"],
        events=EVENTS,
        wrong=wrong,
        secret=secret,
        filled=filled or {"name": "", "url": ""},
    )


async def _one(
    request: Request, webhook: UUID, *, wrong: str | None = None, status: int = 200
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        row = await session.get(Webhook, webhook)
        if row is None:
            raise NotFound("there is no such webhook")
        calls = (
            await session.scalars(
                select(WebhookDelivery)
                .where(WebhookDelivery.webhook_id == webhook)
                .order_by(WebhookDelivery.id.desc())
                .limit(_SHOWN_CALLS)
            )
        ).all()
    payloads: dict[UUID, Any] = {
        call.id: json.dumps(call.payload, indent=2, ensure_ascii=False) for call in calls
    }
    return page(
        request,
        "webhook.html",
        status=status,
        position=position,
        webhook=row,
        calls=calls,
        payloads=payloads,
        events=EVENTS,
        wrong=wrong,
        said=said,
    )
