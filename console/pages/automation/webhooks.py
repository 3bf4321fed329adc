"""Outgoing webhooks: list, edit, and what became of their calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.automation.forms import optional_id
from console.pages.automation.names import load_names
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Admins, form_of, text_field
from console.pages.view import language_of, page, translator
from console.words import automation as said
from console.words.errors import error_in_words
from core.domain.automation.alerts import HookFormat, ReportMapping
from core.domain.errors import InvalidInput, NotFound, Outdated
from core.services.automation.incoming import HookForm, mapping_from_json
from core.services.automation.webhooks import EVENTS, WebhookForm
from core.storage.engine import storage_errors
from core.storage.queries.automation import calls_of
from core.storage.queries.feed import feed_end
from core.storage.tables import IncomingHook, Webhook

router = APIRouter(prefix="/console/admin/webhooks")

_SHOWN_CALLS = 50
_PATHS = (
    *("key", "subject", "text", "priority", "over_path"),
    *("category", "team", "requester", "tags"),
)
_NO_HOOK = dict.fromkeys(("name", "format", "hook_team", "over_values", "fields", *_PATHS), "")


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
        _, secret = await desk_of(request).webhooks.add(wanted, signed_in.agent)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _list(request, wrong=wrong, filled=shown, status=422)
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
        wanted = _hook_in(form)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _list(request, wrong=wrong, hook=_typed_hook(form), status=422)
    _, token = await desk.incoming_hooks.add(wanted, signed_in.agent)
    return await _list(request, address=f"{desk.base_url}/api/v1/hooks/{token}")


@router.get("/incoming/{hook}")
async def show_incoming(request: Request, _: Admins, hook: UUID) -> Response:
    """Show what is set of an address that a program reports to."""
    return await _hook(request, hook)


@router.post("/incoming/{hook}")
async def change_incoming(request: Request, signed_in: Admins, hook: UUID) -> Response:
    """Replace what is set of an address that a program reports to."""
    form = await form_of(request)
    revision = revision_in(form)
    try:
        wanted = _hook_in(form)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _hook(
            request, hook, revision=revision, wrong=wrong, typed=_typed_hook(form), status=422
        )
    hooks = desk_of(request).incoming_hooks
    try:
        await hooks.change(hook, wanted, signed_in.agent, revision=revision)
    except Outdated:
        return await _hook(request, hook, outdated=True, typed=_typed_hook(form), status=412)
    return RedirectResponse("/console/admin/webhooks", 303)


@router.post("/incoming/{hook}/address")
async def renew_address(request: Request, signed_in: Admins, hook: UUID) -> Response:
    """Give a program another address to report to and show it, once."""
    desk, revision = desk_of(request), revision_in(await form_of(request))
    try:
        token = await desk.incoming_hooks.renew(hook, signed_in.agent, revision=revision)
    except Outdated:
        return await _hook(request, hook, outdated=True, status=412)
    return await _hook(request, hook, address=f"{desk.base_url}/api/v1/hooks/{token}")


@router.get("/incoming/{hook}/address")
async def to_incoming(_: Admins, hook: UUID) -> Response:
    """Lead back from the page that showed another address."""
    return RedirectResponse(f"/console/admin/webhooks/incoming/{hook}", 303)


@router.post("/incoming/{hook}/remove")
async def remove_incoming(request: Request, signed_in: Admins, hook: UUID) -> Response:
    """Forget an address that a program reports to."""
    await desk_of(request).incoming_hooks.remove(hook, signed_in.agent)
    return RedirectResponse("/console/admin/webhooks", 303)


@router.get("/{webhook}")
async def show_webhook(
    request: Request, _: Admins, webhook: UUID, before: UUID | None = None
) -> Response:
    """Show a webhook and its latest calls, or older ones."""
    return await _one(request, webhook, before=before)


@router.post("/{webhook}")
async def change_webhook(request: Request, signed_in: Admins, webhook: UUID) -> Response:
    """Replace what an admin may change of a webhook."""
    form = await form_of(request)
    typed: dict[str, Any] = {
        "name": text_field(form, "name"),
        "url": text_field(form, "url"),
        "events": [event for event in EVENTS if text_field(form, event) == "yes"],
        "is_on": text_field(form, "is_on") == "yes",
    }
    revision = revision_in(form)
    try:
        wanted = WebhookForm(**typed)
        await desk_of(request).webhooks.change(webhook, wanted, signed_in.agent, revision=revision)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _one(request, webhook, typed=typed, revision=revision, wrong=wrong, status=422)
    except Outdated:
        return await _one(request, webhook, typed=typed, outdated=True, status=412)
    return RedirectResponse(f"/console/admin/webhooks/{webhook}", 303)


@router.post("/{webhook}/secret")
async def renew_secret(request: Request, signed_in: Admins, webhook: UUID) -> Response:
    """Give a webhook another secret and show it, once."""
    form = await form_of(request)
    at_once, hooks = text_field(form, "old") == "void", desk_of(request).webhooks
    try:
        secret = await hooks.renew_secret(
            webhook, signed_in.agent, at_once=at_once, revision=revision_in(form)
        )
    except Outdated:
        return await _one(request, webhook, outdated=True, status=412)
    return await _one(request, webhook, secret=secret)


@router.get("/{webhook}/secret")
async def to_webhook(_: Admins, webhook: UUID) -> Response:
    """Lead back from the page that showed a secret."""
    return RedirectResponse(f"/console/admin/webhooks/{webhook}", 303)


@router.post("/{webhook}/remove")
async def remove_webhook(request: Request, signed_in: Admins, webhook: UUID) -> Response:
    """Delete a webhook."""
    await desk_of(request).webhooks.remove(webhook, signed_in.agent)
    return RedirectResponse("/console/admin/webhooks", 303)


@router.post("/{webhook}/calls/{call}")
async def repeat_call(request: Request, signed_in: Admins, webhook: UUID, call: UUID) -> Response:
    """Make a call again, or one that waits at once."""
    await desk_of(request).webhooks.repeat(webhook, call, signed_in.agent)
    return RedirectResponse(f"/console/admin/webhooks/{webhook}", 303)


def _hook_in(form: FormData) -> HookForm:
    """Return the hook that a form describes, or raise `InvalidInput`."""
    is_mapped = text_field(form, "format") == HookFormat.MAPPED
    typed = _typed_hook(form)
    mapping = (
        ReportMapping(
            **{name: typed[name] for name in _PATHS},
            over_values=tuple(filter(None, map(str.strip, typed["over_values"].split("|")))),
            fields=tuple(
                (label.strip(), path.strip())
                for line in typed["fields"].splitlines()
                if line.strip()
                for label, _, path in [line.partition("=")]
            ),
        )
        if is_mapped
        else None
    )
    return HookForm(
        name=typed["name"],
        format=HookFormat.MAPPED if is_mapped else HookFormat.ALERTMANAGER,
        mapping=mapping,
        team=optional_id(typed["hook_team"]),
    )


def _typed_hook(form: FormData) -> dict[str, str]:
    names = ("name", "format", "hook_team", "over_values", "fields", *_PATHS)
    return {name: text_field(form, name) for name in names}


def _shown_hook(row: IncomingHook) -> dict[str, str]:
    shown = _NO_HOOK | {
        "name": row.name,
        "format": row.format,
        "hook_team": "" if row.team_id is None else str(row.team_id),
    }
    if row.mapping is None:
        return shown
    mapping = mapping_from_json(row.mapping)
    return shown | {
        **{name: str(getattr(mapping, name)) for name in _PATHS},
        "over_values": " | ".join(mapping.over_values),
        "fields": "\n".join(f"{label} = {path}" for label, path in mapping.fields),
    }


async def _hook(
    request: Request,
    hook: UUID,
    *,
    revision: int | None = None,
    outdated: bool = False,
    wrong: str | None = None,
    typed: dict[str, str] | None = None,
    address: str | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        row = await session.get(IncomingHook, hook)
        if row is None:
            raise NotFound("there is no such webhook")
        names = await load_names(session, translator(request), language_of(request))
    return page(
        request,
        "incoming_hook.html",
        status=status,
        position=position,
        row=row,
        hook=typed or _shown_hook(row),
        address=address,
        revision=row.revision if revision is None else revision,
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, "hook", hook) if outdated else None,
        teams=names.of["team"],
        wrong=wrong,
        said=said,
    )


async def _list(
    request: Request,
    *,
    hook: dict[str, str] | None = None,
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
        names = await load_names(session, translator(request), language_of(request))
    return page(
        request,
        "webhooks.html",
        status=status,
        position=position,
        webhooks=rows,
        hooks=hooks,
        address=address,
        hook=hook or _NO_HOOK,
        said=said,
        teams=names.of["team"],
        events=EVENTS,
        wrong=wrong,
        secret=secret,
        filled=filled or {"name": "", "url": ""},
    )


async def _one(
    request: Request,
    webhook: UUID,
    *,
    typed: dict[str, Any] | None = None,
    revision: int | None = None,
    outdated: bool = False,
    wrong: str | None = None,
    secret: str | None = None,
    before: UUID | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        row = await session.get(Webhook, webhook)
        if row is None:
            raise NotFound("there is no such webhook")
        found = await calls_of(session, webhook, before=before, limit=_SHOWN_CALLS + 1)
    calls, now = found[:_SHOWN_CALLS], datetime.now(UTC)
    payloads: dict[UUID, Any] = {
        call.id: json.dumps(call.payload, indent=2, ensure_ascii=False) for call in calls
    }
    return page(
        request,
        "webhook.html",
        status=status,
        position=position,
        webhook=row,
        typed=typed or row,
        revision=row.revision if revision is None else revision,
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, "webhook", webhook) if outdated else None,
        calls=calls,
        is_older=before is not None,
        next=calls[-1].id if len(found) > _SHOWN_CALLS else None,
        payloads=payloads,
        secret=secret,
        is_in_hand=lambda call: (
            call.status == "waiting" and call.taken_until is not None and now < call.taken_until
        ),
        is_changing_over=row.old_secret_until is not None and now < row.old_secret_until,
        events=EVENTS,
        wrong=wrong,
        said=said,
    )
