"""What the desk makes of payloads as a platform sends them, one a line, without storing any."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.domain.errors import DeskError, IgnoredPayload, NotFound
from core.domain.ids import AccountId
from core.ports import ChannelKind
from core.wiring.event_json import event_json
from core.wiring.kinds import Kinds

_LOGGER = logging.getLogger(__name__)
_ACCOUNT = AccountId("parse")

Reading = dict[str, Any]
"""`{"events": […]}`, `{"ignored": why}` or `{"quarantined": why}`."""


def readings(kind: str, path: Path) -> Iterator[Reading]:
    """Yield what becomes of each line of a file, whatever is in it.

    Raises:
        NotFound: there is no such kind of channel.
    """
    kinds = Kinds()
    if kind not in kinds:
        raise NotFound(f"there is no kind of channel called {kind}: there are {', '.join(kinds)}")
    reader = kinds[kind]
    with path.open("rb") as lines:
        for line in lines:
            yield reading(reader, line.rstrip(b"\r\n"))


def reading(kind: ChannelKind, line: bytes) -> Reading:
    """Return what becomes of the payload in a line.

    A payload with line ends in it, as letters have, is written as a JSON string.
    """
    try:
        events = [event_json(event) for event in kind.read(_ACCOUNT, _payload(line))]
    except IgnoredPayload as said:
        return {"ignored": str(said) or "it says nothing to the desk"}
    except DeskError as said:
        return {"quarantined": str(said) or "it is not understood"}
    except Exception as error:
        # A fault of the reader's. Whatever the line, the next one is read too.
        _LOGGER.warning("the reader of %s failed", kind.name, exc_info=error)
        return {"quarantined": f"the reader failed ({type(error).__name__})"}
    return {"events": events} if events else {"ignored": "it says nothing to the desk"}


def _payload(line: bytes) -> bytes:
    if not line.startswith(b'"'):
        return line
    try:
        return str(json.loads(line)).encode("utf-8", "surrogatepass")
    except ValueError:
        return line
