"""Macros: list and edit; and choosing one while answering."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.automation.forms import actions_in, optional_id, shown_actions, typed_rows
from console.pages.automation.names import load_names
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Agents, Leads, form_of, text_field
from console.pages.tickets.tickets import Named
from console.pages.view import language_of, page, translator
from console.words import automation as said
from console.words.errors import error_in_words
from core.domain.automation.actions import MAX_ACTIONS
from core.domain.errors import InvalidInput, NotFound, Outdated
from core.domain.languages import LANGUAGES
from core.services.automation.forms import actions_from_json
from core.services.automation.macros import MacroForm, languages_of, macros_for
from core.services.automation.templates import VARIABLES
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.tables import Macro

router = APIRouter(prefix="/console")

_PATH = "/console/admin/macros"


@router.get("/tickets/{ticket}/macros")
async def choose_macro(request: Request, signed_in: Agents, ticket: str, named: Named) -> Response:
    """List the macros that fit a ticket, as buttons."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await macros_for(session, named, signed_in.agent.id)
    return page(request, "parts/macros.html", macros=found, ticket=ticket)


@router.get("/tickets/{ticket}/macros/{macro}")
async def filled_macro(request: Request, signed_in: Agents, named: Named, macro: UUID) -> Response:
    """Show a macro filled in for a ticket: its text, and what else is done when it is sent."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        names = await load_names(session, translator(request), language_of(request))
    ready = await desk.macros.fill_in(macro, named, signed_in.agent.id)
    return page(
        request,
        "parts/macro.html",
        macro=ready,
        actions=shown_actions(ready.actions, names),
        names=names,
        said=said,
    )


@router.get("/admin/macros")
async def show_macros(request: Request, _: Leads) -> Response:
    """List all macros."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        names = await load_names(session, translator(request), language_of(request))
        rows = (await session.scalars(select(Macro).order_by(Macro.name))).all()
    return page(
        request,
        "macros.html",
        position=position,
        macros=rows,
        teams=names.of["team"],
        languages_of=languages_of,
        said=said,
    )


@router.get("/admin/macros/new")
async def new_macro(request: Request, _: Leads) -> Response:
    """Show an empty form."""
    return await _form(request, None, {})


@router.get("/admin/macros/{macro}")
async def show_macro(request: Request, _: Leads, macro: UUID) -> Response:
    """Show a macro's form."""
    async with storage_errors(), desk_of(request).sessions() as session:
        row = await session.get(Macro, macro)
        names = await load_names(session, translator(request), language_of(request))
    if row is None:
        raise NotFound("there is no such macro")
    shown = {
        "name": row.name,
        "text": row.text,
        "language": row.language or "",
        "translations": row.translations,
        "team": str(row.team_id or ""),
        "actions": shown_actions(actions_from_json(row.actions), names),
    }
    return await _form(request, macro, shown, revision=row.revision)


@router.post("/admin/macros/new")
async def add_macro(request: Request, signed_in: Leads) -> Response:
    """Add a macro."""
    return await _save(request, signed_in, None)


@router.post("/admin/macros/{macro}")
async def change_macro(request: Request, signed_in: Leads, macro: UUID) -> Response:
    """Replace a macro."""
    return await _save(request, signed_in, macro)


@router.post("/admin/macros/{macro}/remove")
async def remove_macro(request: Request, signed_in: Leads, macro: UUID) -> Response:
    """Delete a macro."""
    await desk_of(request).macros.remove(macro, signed_in.agent)
    return RedirectResponse(_PATH, 303)


async def _save(request: Request, signed_in: Leads, macro: UUID | None) -> Response:
    form = await form_of(request)
    desk, revision = desk_of(request), revision_in(form)
    async with storage_errors(), desk.sessions() as session:
        names = await load_names(session, translator(request), language_of(request))
    shown: dict[str, Any] = {
        key: text_field(form, key) for key in ("name", "text", "language", "team")
    }
    shown["translations"] = {
        code: words for code in LANGUAGES if (words := text_field(form, f"text.{code}")).strip()
    }
    typed = shown | {"actions": typed_rows(form, "action-kind", "action-value")}
    try:
        wanted = MacroForm(
            name=shown["name"],
            text=shown["text"],
            language=shown["language"] if shown["language"] in LANGUAGES else None,
            translations=shown["translations"],
            team=optional_id(shown["team"]),
            actions=actions_in(form, names),
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _form(request, macro, typed, revision=revision, wrong=wrong, status=422)
    try:
        await desk.macros.save(macro, wanted, signed_in.agent, revision=revision)
    except Outdated:
        async with storage_errors(), desk.sessions() as session:
            revision = (await session.get_one(Macro, macro)).revision
        return await _form(request, macro, typed, revision=revision, outdated=True, status=412)
    return RedirectResponse(_PATH, 303)


async def _form(
    request: Request,
    macro: UUID | None,
    shown: dict[str, Any],
    *,
    revision: int | None = None,
    outdated: bool = False,
    wrong: str | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        names = await load_names(session, translator(request), language_of(request))
    return page(
        request,
        "macro_edit.html",
        status=status,
        position=position,
        macro=macro,
        shown={"name": "", "text": "", "language": "", "team": "", "actions": []}
        | {"translations": {}}
        | shown,
        revision=revision,
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, "macro", macro) if outdated else None,
        names=names,
        variables=[f"{kind}.{name}" for kind, all_ in VARIABLES.items() for name in all_],
        wrong=wrong,
        said=said,
        most_actions=MAX_ACTIONS,
    )
