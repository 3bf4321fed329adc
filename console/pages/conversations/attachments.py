"""Files of conversations in pages: shown, saved, handed in; and letters as they were laid out."""

from __future__ import annotations

from urllib.parse import unquote
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from console.desk import ConsoleDesk, desk_of
from console.downloads import send_file
from console.letters import headers, letter_page
from console.pages.session import Agents
from console.pages.view import translator
from console.words.errors import error_in_words
from core.domain.downloads import PICTURES_TO_SHOW
from core.domain.errors import DeskError, Forbidden, InvalidInput, NotFound, TooLarge
from core.domain.files import FileState
from core.storage.engine import storage_errors
from core.storage.queries.files import FileView, file_view, letter_of

router = APIRouter(prefix="/console")

_MOST_PICTURE_BYTES = 8_000_000  # of all pictures in a letter together


@router.get("/files/{attachment}")
async def show_file(
    request: Request, _: Agents, attachment: UUID, download: bool = False
) -> Response:
    """Give a file: a picture to be shown, or to be saved where that is asked for."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        file = await file_view(session, attachment)
    return await send_file(desk.files, file, may_show=not download)


@router.get("/messages/{message}/letter")
async def show_letter(
    request: Request, _: Agents, message: UUID, pictures: bool = False
) -> Response:
    """Show a letter as its author laid it out; pictures from elsewhere only when asked for."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        html, files = await letter_of(session, message)
    page = letter_page(html, await _within(desk, files), with_remote_pictures=pictures)
    return HTMLResponse(page, headers=headers(with_remote_pictures=pictures))


async def _within(desk: ConsoleDesk, files: list[FileView]) -> dict[str, tuple[str, bytes]]:
    """Return the pictures that a letter shows in its text."""
    found: dict[str, tuple[str, bytes]] = {}
    left = _MOST_PICTURE_BYTES
    for file in files:
        is_picture = file.media_type in PICTURES_TO_SHOW and file.state == FileState.FETCHED
        if not (is_picture and file.content_id and file.blob_key):
            continue
        left -= file.size_bytes or 0
        if left < 0:
            break
        try:
            found[file.content_id] = (file.media_type, await desk.files.get(file.blob_key))
        except NotFound:
            continue  # the letter shows without it, as it does for one that was refused
    return found


@router.post("/files")
async def hand_in(request: Request, signed_in: Agents) -> Response:
    """Take a file in that the agent wants to send; the body is the file.

    Answers with `{"id", "name", "media_type", "size"}`, or `{"error"}` in the agent's words.
    """
    if "x-csrf-token" not in request.headers:  # it was looked for in the body, as in a form
        raise Forbidden("this page is too old: load it again")
    desk = desk_of(request)
    name = unquote(request.headers.get("x-file-name", ""), errors="replace")
    try:
        upload, file = await desk.uploads.keep(
            signed_in.agent,
            request.stream(),
            name=name or "file",
            media_type=request.headers.get("content-type", ""),
        )
    except DeskError as error:
        return JSONResponse(
            {"error": error_in_words(error, translator(request))}, _status_of(error)
        )
    return JSONResponse(
        {
            "id": str(upload),
            "name": file.name,
            "media_type": file.media_type,
            "size": file.size_bytes,
        },
        201,
    )


def _status_of(error: DeskError) -> int:
    match error:
        case TooLarge():
            return 413
        case InvalidInput():
            return 422
        case _:  # the database or the virus scanner is away
            return 503
