"""Files in the API: handed in before they are sent, and read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from console.api.conversations.message_shapes import UploadOut
from console.api.principal import AgentCaller
from console.desk import desk_of
from console.downloads import send_file
from core.domain.errors import InvalidInput
from core.storage.engine import storage_errors
from core.storage.queries.files import file_view

router = APIRouter(prefix="/files", tags=["files"])

_PIECE_BYTES = 256 * 1024
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("", status_code=201, openapi_extra=_FORM)
async def hand_in(request: Request, caller: AgentCaller) -> UploadOut:
    """Hand a file in, as the form field `file`; a reply or a note then names it by its id."""
    # The form is read here and not by a parameter: parameters are read before it is known who asks.
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput("this needs a form with a file in the field `file`")
        upload, kept = await desk_of(request).uploads.keep(
            caller,
            _pieces(file),
            name=file.filename or "file",
            media_type=file.content_type or "",
        )
    return UploadOut(
        id=upload, name=kept.name, media_type=kept.media_type, size_bytes=kept.size_bytes
    )


@router.get("/{attachment}", response_class=Response)
async def get_file(request: Request, _: AgentCaller, attachment: UUID) -> Response:
    """Return the bytes of a message's file."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        file = await file_view(session, attachment)
    return await send_file(desk.files, file, may_show=False)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE_BYTES):
        yield piece
