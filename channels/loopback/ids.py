"""Loopback's ids, to and from ours. The only module that knows their shape."""

from __future__ import annotations

from core.domain.ids import EventKey, MessageId, RemoteId


def post_key(remote: RemoteId) -> EventKey:
    """Return the key of a posting."""
    return EventKey(f"post:{remote}")


def edit_key(remote: RemoteId, revision: int) -> EventKey:
    """Return the key of an edit."""
    return EventKey(f"edit:{remote}:{revision}")


def press_key(press: str) -> EventKey:
    """Return the key of a pressed button."""
    return EventKey(f"press:{press}")


def sent_id(message: MessageId, part: int = 0) -> RemoteId:
    """Return what the platform calls our message."""
    return RemoteId(f"out-{message}-{part}")
