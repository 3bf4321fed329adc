"""Agents' pictures: where agents choose theirs, and where everybody sees them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents, file_form_of
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.downloads import file_headers
from core.domain.errors import InvalidInput
from core.services.writing.pictures import MAX_PICTURE_BYTES
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import speaker_of

router = APIRouter()


@router.get("/console/picture")
async def show_form(request: Request, signed_in: Agents) -> Response:
    """Show the agent's picture, with a form for another."""
    return await _form(request, signed_in.agent.id)


@router.post("/console/picture")
async def set_picture(request: Request, signed_in: Agents) -> Response:
    """Take the picture that the form brings; without one, show none any more."""
    pictures = desk_of(request).pictures
    chosen = (await file_form_of(request)).get("picture")
    try:
        if isinstance(chosen, UploadFile) and chosen.filename:
            await pictures.set(signed_in.agent.id, await chosen.read(MAX_PICTURE_BYTES + 1))
        else:
            await pictures.clear(signed_in.agent.id)
    except InvalidInput as error:
        said = error_in_words(error, translator(request))
        return await _form(request, signed_in.agent.id, status=422, wrong=said)
    return RedirectResponse("/console/picture", 303)


@router.get("/agents/{agent}/{version}")
async def show_picture(request: Request, agent: UUID, version: str) -> Response:
    """Give a picture to anybody: requesters' programs show it beside the agent's words.

    Raises:
        NotFound: there is none, or another by now.
    """
    desk = desk_of(request)
    picture = await desk.pictures.get(agent, version)
    content = await desk.files.get(picture.blob_key)
    headers = file_headers("picture", picture.media_type, len(content), may_show=True)
    # Unlike what strangers sent, this may be kept and shown on other sites.
    headers |= {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(content, headers=headers)


async def _form(
    request: Request, agent: UUID, *, status: int = 200, wrong: str | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        _, picture = await speaker_of(session, agent)
    return page(request, "picture.html", status=status, wrong=wrong, picture=picture)
