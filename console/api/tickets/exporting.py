"""Tickets as a table, in the API."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from console.api.principal import ReaderCaller
from console.api.reports import HeadingLanguage
from console.api.tickets.asked_fields import PARAMETERS
from console.api.tickets.listing import Wanted, filter_in
from console.desk import desk_of
from console.sight import sight_for
from console.tables.tickets import exported
from console.texts import translate
from core.domain.languages import SOURCE
from core.domain.views import ViewId
from core.services.tickets.views import filter_of_view
from core.storage.engine import storage_errors
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.views import view_named

router = APIRouter(tags=["tickets"])


@router.get("/tickets/export.csv", response_class=Response, openapi_extra=PARAMETERS)
async def export_tickets(
    request: Request,
    caller: ReaderCaller,
    asked: Annotated[Wanted, Query()],
    lang: HeadingLanguage = SOURCE,
) -> Response:
    """Return the newest tickets that fit, 50,000 at most, as a table safe for spreadsheets.

    It has a column for each custom field. That they were exported is in the audit log.
    """
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        wanted = await filter_in(session, request, asked, caller)
        return await exported(
            session,
            TicketFilter(among=()) if wanted is None else wanted,
            name="tickets.csv",
            actor=caller.actor,
            t=partial(translate, lang),
            language=lang,
        )


@router.get("/views/{view}/export.csv", response_class=Response)
async def export_view(
    request: Request, caller: ReaderCaller, view: UUID, lang: HeadingLanguage = SOURCE
) -> Response:
    """Return the tickets of a view, the newest first, in the same way."""
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        found = await view_named(session, ViewId(view), caller.id)
        sight = await sight_for(request, session)
        return await exported(
            session,
            await filter_of_view(session, found, caller.id, sight),
            name=found.name,
            actor=caller.actor,
            t=partial(translate, lang),
            language=lang,
        )
