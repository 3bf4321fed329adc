"""Where a message's payload is kept, as it came from its platform."""

from __future__ import annotations

import base64
import json

from core.domain.errors import NotFound
from core.ports import FileStore


async def payload_at(store: FileStore, place: str) -> bytes:
    """Return the payload kept at `place`: "<blob key>#<line>", a line of JSON with `raw` in it.

    Reads piece by piece and holds no more than its own line: payloads of one moment share a blob.

    Raises:
        NotFound: it is not there any more.
    """
    key, _, number = place.rpartition("#")
    left = int(number)
    line = bytearray()
    async for piece in store.stream(key):
        rest = piece
        while left and (end := rest.find(b"\n")) >= 0:
            rest = rest[end + 1 :]
            left -= 1
        if left:
            continue
        head, newline, _ = rest.partition(b"\n")
        line += head
        if newline:
            break
    if not line:
        raise NotFound("the payload of this message was not kept")
    return base64.b64decode(json.loads(line)["raw"])
