"""Files of conversations as answers to browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from core.domain.downloads import file_headers
from core.domain.errors import NotFound
from core.domain.files import FileState
from core.ports import FileStore
from core.storage.queries.files import FileView


async def send_file(store: FileStore, file: FileView, *, may_show: bool = True) -> Response:
    """Return a file's bytes; pictures of known kinds to be shown, everything else to be saved.

    Raises:
        NotFound: the desk does not have it.
    """
    if file.state != FileState.FETCHED or file.blob_key is None:
        raise NotFound("the desk does not have this file")
    pieces = store.stream(file.blob_key)
    first = await anext(pieces, b"")  # an error shows before the answer has begun
    headers = file_headers(file.name, file.media_type, file.size_bytes, may_show=may_show)
    return StreamingResponse(_all(first, pieces), headers=headers)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
