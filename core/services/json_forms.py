"""How values of the domain are kept in JSON columns, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.domain.content import Body, Envelope, FileRef, Intent
from core.domain.events import Author, MessageEdited, MessageRemoved, ReactionChanged
from core.domain.ids import AccountId, Address, EventKey, RemoteId, ThreadKey

EarlyOccurrence = MessageEdited | MessageRemoved | ReactionChanged
"""What can be known of a message before the message itself."""


def intent_json(intent: Intent | None) -> dict[str, Any] | None:
    """Return `intent` as it is kept in a message."""
    if intent is None:
        return None
    return {"name": intent.name, "entities": dict(intent.entities)}


def intent_from_json(stored: Mapping[str, Any] | None) -> Intent | None:
    """Return what `intent_json` made."""
    if stored is None:
        return None
    return Intent(name=stored["name"], entities=dict(stored["entities"]))


def envelope_json(envelope: Envelope | None) -> dict[str, Any] | None:
    """Return `envelope` as it is kept in a message."""
    if envelope is None:
        return None
    return {
        "to": list(envelope.to),
        "cc": list(envelope.cc),
        "bcc": list(envelope.bcc),
        "subject": envelope.subject,
    }


def envelope_from_json(stored: Mapping[str, Any] | None) -> Envelope | None:
    """Return what `envelope_json` made."""
    if stored is None:
        return None
    return Envelope(
        to=_addresses(stored["to"]),
        cc=_addresses(stored["cc"]),
        bcc=_addresses(stored["bcc"]),
        subject=stored["subject"],
    )


def author_json(author: Author | None) -> dict[str, Any] | None:
    """Return who wrote what was passed on, as it is kept in a message."""
    return None if author is None else {"address": author.address, "name": author.name}


def early_json(event: EarlyOccurrence) -> dict[str, Any]:
    """Return `event` as it is kept until its message comes; its raw payload is kept elsewhere."""
    kept: dict[str, Any] = {
        "kind": type(event).__name__,
        "account": event.account,
        "key": event.key,
        "thread": event.thread,
        "author": {"address": event.author.address, "name": event.author.name},
        "at": event.at.isoformat(),
        "remote_id": event.remote_id,
    }
    match event:
        case MessageEdited():
            kept["body"] = _body_json(event.body)
        case ReactionChanged():
            kept["reaction"], kept["added"] = event.reaction, event.added
        case MessageRemoved():
            pass
    return kept


def early_from_json(stored: Mapping[str, Any]) -> EarlyOccurrence:
    """Return what `early_json` made."""
    common: dict[str, Any] = {
        "account": AccountId(stored["account"]),
        "key": EventKey(stored["key"]),
        "thread": ThreadKey(stored["thread"]),
        "author": Author(
            address=Address(stored["author"]["address"]), name=stored["author"]["name"]
        ),
        "at": datetime.fromisoformat(stored["at"]),
        "remote_id": RemoteId(stored["remote_id"]),
    }
    match stored["kind"]:
        case "MessageEdited":
            return MessageEdited(**common, body=_body_from_json(stored["body"]))
        case "ReactionChanged":
            return ReactionChanged(**common, reaction=stored["reaction"], added=stored["added"])
        case _:
            return MessageRemoved(**common)


def _body_json(body: Body) -> dict[str, Any]:
    return {
        "text": body.text,
        "html": body.html,
        "quoted": body.quoted,
        "signature": body.signature,
        "unsupported": list(body.unsupported),
        "files": [
            {
                "name": file.name,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "remote": file.remote,
                "content_id": file.content_id,
                "is_inline": file.is_inline,
            }
            for file in body.files
        ],
    }


def _body_from_json(stored: Mapping[str, Any]) -> Body:
    return Body(
        text=stored["text"],
        html=stored["html"],
        quoted=stored["quoted"],
        signature=stored["signature"],
        unsupported=tuple(stored["unsupported"]),
        files=tuple(FileRef(**file) for file in stored["files"]),
    )


def _addresses(words: list[str]) -> tuple[Address, ...]:
    return tuple(Address(word) for word in words)
