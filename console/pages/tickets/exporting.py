"""What a tab of the queue shows, as a table to be saved."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Readers
from console.pages.tickets.queue import filter_of, is_tab, view_of
from console.pages.view import language_of, translator
from console.sight import sight_for
from console.tables.tickets import exported
from console.words.queue import LABELS
from core.domain.errors import NotFound
from core.services.tickets.views import filter_of_view
from core.storage.engine import storage_errors
from core.storage.queries.tickets.views import view_named

router = APIRouter(prefix="/console")


@router.get("/queue/export.csv")
async def export_queue(request: Request, signed_in: Readers, tab: str = "all") -> Response:
    """Give out the tickets of a tab, the newest first, as CSV (RFC 4180)."""
    me, t = signed_in.agent, translator(request)
    view = view_of(tab)
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        sight = await sight_for(request, session)
        if view is not None:
            shown = await view_named(session, view, me.id)
            name, wanted = shown.name, await filter_of_view(session, shown, me.id, sight)
        elif is_tab(tab):
            name, wanted = t(LABELS[tab]) if tab in LABELS else tab, filter_of(tab, me.id, sight)
        else:
            raise NotFound("there is no such view")
        return await exported(
            session, wanted, name=name, actor=me.actor, t=t, language=language_of(request)
        )
