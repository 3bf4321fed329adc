"""The rows of a new message, and of what belongs to one, as the ledger adds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from core.domain.channel import DeliveryAction, DeliveryState
from core.domain.content import Body, Choice, FileRef
from core.domain.conversation import Speaker
from core.domain.files import FileState, KeptFile
from core.domain.ids import AgentId, MessageId, RemoteId, new_id
from core.storage.tables import Conversation, Message

Row = dict[str, Any]


def message(
    conversation: Conversation,
    seq: int,
    speaker: Speaker,
    body: Body,
    *,
    name: MessageId,
    agent: AgentId | None,
    at: datetime,
    now: datetime,
) -> Row:
    """Return the row of what was said `at` some time and is stored `now`, in the order of `seq`."""
    return {
        "id": name,
        "conversation_id": conversation.id,
        "seq": seq,
        "position": seq,
        "speaker": speaker,
        "agent_id": agent,
        "is_internal": False,
        "text": body.text,
        "html": body.html,
        "quoted": body.quoted,
        "signature": body.signature,
        "unsupported": list(body.unsupported),
        "choices": [],
        "pressed_choice": None,
        "intent": None,
        "turn_id": None,
        "author": None,
        "order": None,
        "envelope": None,
        "forwarded_from": None,
        "caution": None,
        "is_automatic": False,
        "language": conversation.language,
        "delivery": DeliveryState.NOT_SENT,
        "delivery_detail": None,
        "at": at,
        "created_at": now,
    }


def choices_json(choices: Sequence[Choice]) -> list[dict[str, str]]:
    """Return what a message itself keeps of the choices below it."""
    return [
        {"id": str(choice.id), "label": choice.label}
        | ({} if choice.link is None else {"link": choice.link})
        for choice in choices
    ]


def offered(
    conversation: Conversation, message: MessageId, choices: Sequence[Choice]
) -> Iterator[Row]:
    """Yield the rows by which choices are found when they are pressed."""
    for choice in choices:
        yield {
            "id": choice.id,
            "message_id": message,
            "conversation_id": conversation.id,
            "label": choice.label,
            "intent": choice.intent.name,
            "entities": dict(choice.intent.entities),
        }


def attached(message: MessageId, files: Sequence[FileRef], first: int) -> Iterator[Row]:
    """Yield the rows of files that came with a message and are still to be fetched."""
    for position, file in enumerate(files, first):
        yield {
            "id": new_id(),
            "message_id": message,
            "position": position,
            "name": file.name,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "remote": file.remote,
            "content_id": file.content_id,
            "is_inline": file.is_inline,
            "status": FileState.WAITING,
            "blob_key": None,
        }


def enclosed(message: MessageId, files: Sequence[KeptFile]) -> Iterator[Row]:
    """Yield the rows of files that the desk has already."""
    for position, file in enumerate(files):
        yield {
            "id": new_id(),
            "message_id": message,
            "position": position,
            "name": file.name,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "remote": file.blob_key,
            "content_id": None,
            "is_inline": False,
            "status": FileState.FETCHED,
            "blob_key": file.blob_key,
        }


def named_remotely(
    conversation: Conversation, message: MessageId, remote_ids: Sequence[RemoteId]
) -> Iterator[Row]:
    """Yield the rows by which a message is found by what its platform calls its parts."""
    for part, remote_id in enumerate(remote_ids):
        yield {
            "account_id": conversation.account_id,
            "remote_id": remote_id,
            "message_id": message,
            "part": part,
        }


def revision(message: Message, said: Body | None, now: datetime) -> Row:
    """Return the row of what `message` said until `now`, or of `said`, where that is older."""
    return {
        "id": new_id(),
        "message_id": message.id,
        "text": message.text if said is None else said.text,
        "html": message.html if said is None else said.html,
        "replaced_at": now,
    }


def delivery(conversation: Conversation, message: MessageId, action: DeliveryAction) -> Row:
    """Return the row of what is to be done with a message on its platform."""
    return {
        "id": new_id(),
        "conversation_id": conversation.id,
        "account_id": conversation.account_id,
        "message_id": message,
        "action": action,
    }
