"""What a tab of the queue shows, as a table to be saved."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from console.desk import desk_of
from console.heads import is_head
from console.pages.session import Readers
from console.pages.tickets.queue import filter_of, is_tab, team_of, view_of
from console.pages.view import language_of, translator
from console.sight import sight_for
from console.tables.files import table_head
from console.tables.tickets import FILE, Asked, asked_by_view, exported
from core.domain.actor import Agent
from core.domain.errors import NotFound
from core.storage.engine import storage_errors
from core.storage.queries.names import names_of

router = APIRouter(prefix="/console")


@router.get("/queue/export.csv")
async def export_queue(request: Request, signed_in: Readers, tab: str = "all") -> Response:
    """Give out the tickets of a tab, the newest first, as CSV (RFC 4180)."""
    me = signed_in.agent
    if is_head(request):
        return table_head(FILE)
    async with storage_errors(), desk_of(request).sessions() as session:
        asked = await _asked(request, session, tab, me)
    return await exported(
        desk_of(request).sessions,
        asked,
        actor=me.actor,
        t=translator(request),
        language=language_of(request),
    )


async def _asked(request: Request, session: AsyncSession, tab: str, me: Agent) -> Asked:
    sight = await sight_for(request, session)
    view, team = view_of(tab), team_of(tab)
    if view is not None:
        return await asked_by_view(session, view, me.id, sight)
    if not is_tab(tab):
        raise NotFound("there is no such view")
    wanted = filter_of(tab, me.id, sight)
    if team is None:
        return Asked(wanted=wanted, subject=("tab", tab, tab))
    called = await names_of(session, [team], language_of(request))
    if str(team) not in called:
        raise NotFound("there is no such team")
    return Asked(wanted=wanted, subject=("team", team, called[str(team)]))
