"""Tickets as a table, in the API."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from console.api.principal import ReaderCaller
from console.api.reports import HeadingLanguage
from console.api.tickets.asked_fields import PARAMETERS, fields_in
from console.api.tickets.listing import Fitting, filter_in
from console.desk import desk_of
from console.heads import is_head
from console.sight import sight_for
from console.tables.files import table_head
from console.tables.tickets import FILE, Asked, asked_by_view, conditions_kept, exported
from console.texts import translate
from core.domain.actor import Agent
from core.domain.languages import SOURCE
from core.domain.views import ViewId
from core.storage.engine import storage_errors
from core.storage.queries.tickets.filter import TicketFilter

router = APIRouter(tags=["tickets"])

_AS_VIEWS_KEEP_IT = {
    "status": "statuses",
    "assignee": "assignees",
    "team": "teams",
    "category": "categories",
    "kind": "kinds",
    "priority": "priorities",
    "tag": "tags",
    "channel": "channels",
    "q": "words",
}


@router.get("/tickets/export.csv", response_class=Response, openapi_extra=PARAMETERS)
async def export_tickets(
    request: Request,
    caller: ReaderCaller,
    asked: Annotated[Fitting, Query()],
    lang: HeadingLanguage = SOURCE,
) -> Response:
    """Return the newest tickets that fit, 50,000 at most, as a table safe for spreadsheets.

    It has a column for each custom field. That they were exported is in the audit log.
    """
    if is_head(request):
        return table_head(FILE)
    async with storage_errors(), desk_of(request).sessions() as session:
        wanted = await filter_in(session, request, asked, caller)
    fitting = Asked(
        wanted=TicketFilter(among=()) if wanted is None else wanted,
        subject=("tickets", "all", FILE),
        narrowed=_narrowed(request, asked),
    )
    return await _table(request, fitting, caller, lang)


@router.get("/views/{view}/export.csv", response_class=Response)
async def export_view(
    request: Request, caller: ReaderCaller, view: UUID, lang: HeadingLanguage = SOURCE
) -> Response:
    """Return the tickets of a view, the newest first, in the same way."""
    if is_head(request):
        return table_head(FILE)
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_for(request, session)
        asked = await asked_by_view(session, ViewId(view), caller.id, sight)
    return await _table(request, asked, caller, lang)


async def _table(request: Request, asked: Asked, caller: Agent, lang: str) -> Response:
    return await exported(
        desk_of(request).sessions,
        asked,
        actor=caller.actor,
        t=partial(translate, lang),
        language=lang,
    )


def _narrowed(request: Request, asked: Fitting) -> dict[str, Any]:
    """Return what an address asks for by the names under which views keep it."""
    given = asked.model_dump(mode="json", exclude_defaults=True)
    kept = {_AS_VIEWS_KEEP_IT.get(name, name): value for name, value in given.items()}
    return kept | conditions_kept(fields_in(request.query_params))
