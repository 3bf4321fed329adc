"""The web chat's ids, to and from ours. The only module that knows their shape."""

from __future__ import annotations

import re
from uuid import UUID

from core.domain.ids import Address, EventKey, MessageId, RemoteId, ThreadKey

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)


def read_uuid(text: str) -> UUID | None:
    """Return the id that `text` spells with its hyphens, or None; no other spelling counts.

    `UUID()` also takes braces, a URN and hyphens anywhere, so that one id had several names.
    """
    return UUID(text) if _UUID.fullmatch(text) else None


def thread_key(session: UUID) -> ThreadKey:
    """Return the thread of a session: each has exactly one."""
    return ThreadKey(str(session))


def address(session: UUID) -> Address:
    """Return the person behind a session: whoever holds its token."""
    return Address(str(session))


def post_key(session: UUID, client_id: UUID) -> EventKey:
    """Return the key of a message; the session is in it because clients make the ids."""
    return EventKey(f"post:{session}/{client_id}")


def press_key(session: UUID, client_id: UUID) -> EventKey:
    """Return the key of a pressed button."""
    return EventKey(f"press:{session}/{client_id}")


def received_id(session: UUID, client_id: UUID) -> RemoteId:
    """Return the remote id of a message that came in."""
    return RemoteId(f"{session}/{client_id}")


def delivered_id(message: MessageId) -> RemoteId:
    """Return the remote id of a message that went out: pages know it by our own id."""
    return RemoteId(str(message))
