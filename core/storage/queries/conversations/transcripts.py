"""Reads what a requester may see of a thread, across the conversations it has had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.errors import NotFound
from core.domain.files import FileState
from core.domain.ids import AccountId, ChoiceId, MessageId, ThreadKey
from core.ports import TranscriptEntry, TranscriptFile
from core.storage.tables import AgentRow, Attachment, ChoiceRow, Conversation, Message

_WITH_FILES = (Speaker.AGENT, Speaker.CUSTOMER)
_SHOWN = (FileState.WAITING, FileState.FETCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a message says, without all that goes with it."""

    message: MessageId
    speaker: Speaker
    is_internal: bool
    text: str
    at: datetime


async def words_of_messages(
    session: AsyncSession, messages: Sequence[MessageId]
) -> Mapping[MessageId, Words]:
    """Return what messages say, by id."""
    if not messages:
        return {}
    rows = await session.execute(
        select(
            Message.id, Message.speaker, Message.is_internal, Message.text, Message.created_at
        ).where(Message.id.in_(messages))
    )
    return {
        MessageId(message): Words(
            message=MessageId(message),
            speaker=Speaker(speaker),
            is_internal=is_internal,
            text=words,
            at=at,
        )
        for message, speaker, is_internal, words, at in rows
    }


async def thread_since(
    session: AsyncSession, account: AccountId, thread: ThreadKey, after: int, limit: int
) -> Sequence[TranscriptEntry]:
    """Return the thread's first `limit` public messages numbered above `after`.

    They are chosen by number and come in the platform's order.
    """
    conversations = select(Conversation.id).where(
        Conversation.account_id == account, Conversation.thread == thread
    )
    rows = await session.execute(
        select(Message, AgentRow.name)
        .outerjoin(AgentRow, AgentRow.id == Message.agent_id)
        .where(
            Message.conversation_id.in_(conversations),
            Message.seq > after,
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
        .order_by(Message.seq)
        .limit(limit)
    )
    found = sorted(
        ((message, name) for message, name in rows), key=lambda row: (row[0].position, row[0].seq)
    )
    with_choices = [message.id for message, _ in found if message.choices]
    chosen = await _chosen(session, with_choices)
    files = await _files(session, [m.id for m, _ in found if m.speaker in _WITH_FILES])
    return [
        TranscriptEntry(
            id=MessageId(message.id),
            seq=message.seq,
            speaker=Speaker(message.speaker),
            speaker_name=name,
            text=message.text,
            choices=tuple(
                Choice(
                    id=ChoiceId(UUID(choice["id"])),
                    label=choice["label"],
                    intent=Intent(name=""),  # the requester's side never learns what a button means
                )
                for choice in message.choices
            ),
            chosen=chosen.get(message.id),
            at=message.created_at,
            files=tuple(files.get(message.id, ())),
        )
        for message, name in found
    ]


async def file_of_thread(
    session: AsyncSession, account: AccountId, thread: ThreadKey, file: UUID
) -> tuple[TranscriptFile, str]:
    """Return a file that an agent or the requester sent, and its key in the blob store.

    Raises:
        NotFound: there is none of that id.
    """
    row = await session.scalar(
        select(Attachment)
        .join(Message, Message.id == Attachment.message_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Attachment.id == file,
            Conversation.account_id == account,
            Conversation.thread == thread,
            Message.speaker.in_(_WITH_FILES),
            Message.is_internal.is_(False),
            Message.removed_at.is_(None),
        )
    )
    if row is None or row.blob_key is None:
        raise NotFound("there is no such file in this conversation")
    return _file(row), row.blob_key


async def _files(
    session: AsyncSession, messages: Sequence[UUID]
) -> dict[UUID, list[TranscriptFile]]:
    if not messages:
        return {}
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.message_id.in_(messages), Attachment.status.in_(_SHOWN))
        .order_by(Attachment.message_id, Attachment.position)
    )
    found: dict[UUID, list[TranscriptFile]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(_file(row))
    return found


def _file(row: Attachment) -> TranscriptFile:
    return TranscriptFile(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes or 0,
        is_ready=row.status == FileState.FETCHED,
    )


async def _chosen(session: AsyncSession, messages: Sequence[UUID]) -> dict[UUID, ChoiceId]:
    """Return, by message, the choice that was pressed under it."""
    if not messages:
        return {}
    rows = await session.execute(
        select(ChoiceRow.message_id, ChoiceRow.id)
        .join(Message, Message.pressed_choice == ChoiceRow.id)
        .where(
            ChoiceRow.message_id.in_(messages),
            Message.conversation_id == ChoiceRow.conversation_id,
        )
    )
    return {message: ChoiceId(choice) for message, choice in rows}
