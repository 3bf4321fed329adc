"""The settings' front page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Readers
from console.pages.view import page
from console.rooms import sections_for
from core.domain.errors import Forbidden
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console")


@router.get("/settings")
async def show_settings(request: Request, signed_in: Readers) -> Response:
    """Show what can be set, by subject."""
    groups = sections_for(signed_in.agent.role)
    if not groups:
        raise Forbidden("there is nothing here that you may set")
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(request, "settings.html", position=position, groups=groups)
