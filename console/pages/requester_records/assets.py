"""The register of assets: looked through, changed, imported and exported."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.heads import is_head
from console.pages.meanwhile import revision_in
from console.pages.session import Agents, Leads, Readers, file_form_of, form_of, text_field
from console.pages.view import page, translator
from console.tables.assets import FILE, exported
from console.tables.files import decoded, table_head
from console.words import assets as assets_words
from console.words.errors import error_in_words
from core.domain.assets import AssetDraft, AssetStatus
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import AssetId
from core.services.requester_records.assets import AssetImport
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.requester_records.assets import asset_view, list_assets

router = APIRouter(prefix="/console/assets")

_SHOWN = 100


@router.get("")
async def show_assets(
    request: Request,
    _: Agents,
    q: Annotated[str, Query(max_length=200)] = "",
    before: UUID | None = None,
) -> Response:
    """List assets, with a search."""
    return await _list(request, q.replace("\x00", ""), before=before)


@router.get("/export.csv")
async def export(request: Request, signed_in: Readers) -> Response:
    """Give out all assets as a table; the audit log has it."""
    if is_head(request):
        return table_head(FILE)
    return await exported(desk_of(request), signed_in.agent)


@router.post("/import")
async def import_table(request: Request, signed_in: Leads) -> Response:
    """Add or change assets by a table."""
    sent = (await file_form_of(request)).get("file")
    if not isinstance(sent, UploadFile) or not sent.size:
        return await _list(request, wrong=translator(request)("Choose a file first."), status=422)
    try:
        text = decoded(await sent.read())
        done = await desk_of(request).assets.import_table(text, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        return await _list(request, wrong=error_in_words(error, translator(request)), status=422)
    return await _list(request, done=done)


@router.get("/new")
async def new_asset(request: Request, _: Leads) -> Response:
    """Show the form of a new asset."""
    return await _form(request, AssetDraft(tag=""))


@router.post("")
async def add_asset(request: Request, signed_in: Leads) -> Response:
    """Add an asset."""
    form = await form_of(request)
    try:
        await desk_of(request).assets.add(_draft(form), signed_in.agent)
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _form(request, _shown(form), wrong=said)
    return RedirectResponse("/console/assets", 303)


@router.get("/{asset}")
async def show_asset(request: Request, _: Agents, asset: UUID) -> Response:
    """Show one asset."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await asset_view(session, AssetId(asset))
    return await _form(request, found.draft(), asset=found.id, revision=found.revision)


@router.post("/{asset}")
async def change_asset(request: Request, signed_in: Leads, asset: UUID) -> Response:
    """Replace what is known of an asset."""
    form = await form_of(request)
    revision = revision_in(form)
    try:
        await desk_of(request).assets.change(
            AssetId(asset), _draft(form), signed_in.agent, revision=revision
        )
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _form(
            request, _shown(form), asset=AssetId(asset), revision=revision, wrong=said
        )
    return RedirectResponse("/console/assets", 303)


def _draft(form: FormData) -> AssetDraft:
    status, until = text_field(form, "status"), text_field(form, "warranty_until")
    if status not in assets_words.ASSET_STATUS:
        raise InvalidInput("there is no such status")
    try:
        warranty = date.fromisoformat(until) if until else None
    except ValueError:
        raise InvalidInput("a date is written as 2030-12-31") from None
    return replace(_shown(form), status=AssetStatus(status), warranty_until=warranty)


def _shown(form: FormData) -> AssetDraft:
    """Return what was typed, as far as it can be shown again."""
    return AssetDraft(
        tag=text_field(form, "tag"),
        kind=text_field(form, "kind"),
        model=text_field(form, "model"),
        serial=text_field(form, "serial"),
        owner=text_field(form, "owner"),
        organisation=text_field(form, "organisation"),
        notes=text_field(form, "notes").replace("\r\n", "\n"),
    )


async def _list(
    request: Request,
    words: str = "",
    *,
    before: UUID | None = None,
    done: AssetImport | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        cursor = None if before is None else AssetId(before)
        found = await list_assets(session, words, before=cursor, limit=_SHOWN + 1)
    return page(
        request,
        "assets/list.html",
        status=status,
        position=position,
        assets=found[:_SHOWN],
        next=found[_SHOWN - 1].id if len(found) > _SHOWN else None,
        q=words,
        said=assets_words,
        done=done,
        wrong=wrong,
    )


async def _form(
    request: Request,
    draft: AssetDraft,
    *,
    asset: AssetId | None = None,
    revision: int | None = None,
    wrong: str = "",
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "assets/one.html",
        status=422 if wrong else 200,
        position=position,
        draft=draft,
        known=asset,
        revision=revision,
        said=assets_words,
        wrong=wrong,
    )
