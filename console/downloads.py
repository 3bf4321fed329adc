"""How files that strangers sent are given to browsers: so that none of them is ever run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from core.domain.errors import NotFound
from core.domain.files import FileState, plain_name
from core.ports import FileStore
from core.services.files.inspection import PICTURES_TO_SHOW
from core.storage.queries.files import FileView

_PROTECTION = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NEVER_NAMED = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml")
"""Types that a browser might run; such files are sent as bytes of no kind."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-+()")


def disposition(name: str, *, is_shown: bool) -> str:
    """Return the value of `Content-Disposition` (RFC 6266, RFC 8187) for a file's name."""
    plain = plain_name(name)
    ascii_name = "".join(c if c in _PLAIN else "_" for c in plain)
    how = "inline" if is_shown else "attachment"
    value = f'{how}; filename="{ascii_name}"'
    if ascii_name != plain:
        value += f"; filename*=UTF-8''{quote(plain, safe='')}"
    return value


async def send_file(store: FileStore, file: FileView, *, may_show: bool = True) -> Response:
    """Return a file's bytes; pictures of known kinds to be shown, everything else to be saved.

    Raises:
        NotFound: the desk does not have it.
    """
    if file.state != FileState.FETCHED or file.blob_key is None:
        raise NotFound("the desk does not have this file")
    is_shown = may_show and file.media_type in PICTURES_TO_SHOW
    pieces = store.stream(file.blob_key)
    first = await anext(pieces, b"")  # an error shows before the answer has begun
    headers = {"Content-Disposition": disposition(file.name, is_shown=is_shown), **_PROTECTION}
    if file.size_bytes is not None:
        headers["Content-Length"] = str(file.size_bytes)
    media_type = file.media_type
    if media_type.startswith(_NEVER_NAMED):
        media_type = "application/octet-stream"
    answer = StreamingResponse(_all(first, pieces), headers=headers)
    answer.headers["Content-Type"] = media_type  # no charset: none is known
    return answer


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
