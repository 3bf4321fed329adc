"""Reads the loopback platform's payloads: JSON, one posting each."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from channels.loopback.ids import post_key
from core.domain.content import Body
from core.domain.errors import UnknownPayload
from core.domain.events import Author, MessagePosted
from core.domain.ids import AccountId, Address, RemoteId, ThreadKey


def posting(
    *,
    remote_id: str,
    thread: str,
    who: str,
    text: str,
    language: str | None,
    at: datetime,
    order: str = "",
) -> bytes:
    """Return the payload of a posting, as the platform sends it."""
    payload = {
        "type": "post",
        "id": remote_id,
        "thread": thread,
        "who": who,
        "text": text,
        "language": language,
        "order": order,
        "at": at.isoformat(),
    }
    return json.dumps(payload).encode()


def parse_event(account: AccountId, raw: bytes) -> MessagePosted:
    """Return the event in a payload.

    Raises:
        UnknownPayload: a shape we do not know.
    """
    try:
        payload: dict[str, Any] = json.loads(raw)
        if payload["type"] != "post":
            raise UnknownPayload(f"payload of type {payload['type']!r}")
        return MessagePosted(
            account=account,
            key=post_key(RemoteId(payload["id"])),
            thread=ThreadKey(payload["thread"]),
            author=Author(
                address=Address(payload["who"]),
                name=payload["who"].title(),
                language=payload["language"],
            ),
            at=datetime.fromisoformat(payload["at"]),
            order=payload.get("order", ""),
            body=Body(text=payload["text"]),
            remote_ids=(RemoteId(payload["id"]),),
            raw=raw,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownPayload("not a posting of the loopback platform") from error
