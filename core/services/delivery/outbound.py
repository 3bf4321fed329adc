"""What goes to a platform with a message: who speaks, what it answers, its files and buttons."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import Body, Choice, FileRef, Intent
from core.domain.conversation import Speaker
from core.domain.files import FileState
from core.domain.ids import (
    AccountId,
    Address,
    ChoiceId,
    ConversationId,
    MessageId,
    RemoteId,
    ThreadKey,
)
from core.services.json_forms import envelope_from_json
from core.storage.queries.access.agents import speaker_of
from core.storage.tables import (
    Attachment,
    ChoiceRow,
    Conversation,
    Message,
    Participant,
    RemoteMessage,
)

_THREAD_IDS = 20


async def outbound(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    capabilities: Capabilities | None,
    base_url: str,
) -> Outbound:
    """Return `message` as its channel is to send it; `base_url` is where people reach the desk."""
    before = await _named_before(session, message)
    quoted = None
    if capabilities is not None and capabilities.quotes:
        quoted = await _last_words_before(session, message)
    is_letter = capabilities is not None and capabilities.letters
    name = picture = None
    if message.speaker == Speaker.AGENT and message.agent_id is not None:
        name, picture = await speaker_of(session, message.agent_id)
    return Outbound(
        message=MessageId(message.id),
        account=AccountId(conversation.account_id),
        conversation=ConversationId(conversation.id),
        thread=ThreadKey(conversation.thread),
        speaker=Speaker(message.speaker),
        body=Body(
            text=message.text,
            html=message.html,
            quoted=quoted,
            files=await _files(session, message),
        ),
        choices=await choices_under(session, message),
        language=message.language or "en",
        speaker_name=name,
        # Platforms fetch it, so it has to be on an address that they reach.
        speaker_picture=f"{base_url}{picture}" if picture and _is_public(base_url) else None,
        requester=None if conversation.address is None else Address(conversation.address),
        participants=await _participants(session, conversation) if is_letter else (),
        subject=conversation.subject,
        answers=next(
            (name for name, speaker in reversed(before) if speaker == Speaker.CUSTOMER), None
        ),
        thread_ids=tuple(name for name, _ in before),
        is_beside=conversation.is_beside,
        envelope=envelope_from_json(message.envelope),
    )


def _is_public(base_url: str) -> bool:
    return base_url.startswith("https://")


async def receipt_of(session: AsyncSession, message: Message) -> Receipt:
    """Return what the platform calls `message`, part by part."""
    names = await session.scalars(
        select(RemoteMessage.remote_id)
        .where(RemoteMessage.message_id == message.id)
        .order_by(RemoteMessage.part, RemoteMessage.remote_id)
    )
    return Receipt(remote_ids=tuple(RemoteId(name) for name in names))


async def _named_before(session: AsyncSession, message: Message) -> list[tuple[RemoteId, str]]:
    """Return the platform's names of the messages before `message`, oldest first."""
    rows = await session.execute(
        select(RemoteMessage.remote_id, Message.speaker)
        .join(Message, Message.id == RemoteMessage.message_id)
        .where(
            Message.conversation_id == message.conversation_id,
            tuple_(Message.position, Message.seq) < (message.position, message.seq),
        )
        .order_by(Message.position.desc(), Message.seq.desc(), RemoteMessage.part.desc())
        .limit(_THREAD_IDS)
    )
    return [(RemoteId(name), speaker) for name, speaker in reversed(rows.all())]


async def _last_words_before(session: AsyncSession, message: Message) -> str | None:
    return await session.scalar(
        select(Message.text)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.speaker == Speaker.CUSTOMER,
            Message.is_automatic.is_(False),
            Message.removed_at.is_(None),
            tuple_(Message.position, Message.seq) < (message.position, message.seq),
        )
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
    )


async def _files(session: AsyncSession, message: Message) -> tuple[FileRef, ...]:
    if message.speaker != Speaker.AGENT:
        return ()  # what the desk itself says has none
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.message_id == message.id, Attachment.status == FileState.FETCHED)
        .order_by(Attachment.position)
    )
    return tuple(
        FileRef(
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            remote=row.blob_key,
            content_id=row.content_id,
            is_inline=row.is_inline,
        )
        for row in rows
        if row.blob_key is not None
    )


async def choices_under(session: AsyncSession, message: Message) -> tuple[Choice, ...]:
    """Return the choices of `message`, in the order in which they are shown."""
    if not message.choices:
        return ()
    found = await session.scalars(select(ChoiceRow).where(ChoiceRow.message_id == message.id))
    rows = {choice.id: choice for choice in found}
    shown = [(rows[UUID(choice["id"])], choice.get("link")) for choice in message.choices]
    return tuple(
        Choice(
            id=ChoiceId(row.id),
            label=row.label,
            intent=Intent(name=row.intent, entities=row.entities),
            link=link,
        )
        for row, link in shown
    )


async def _participants(session: AsyncSession, conversation: Conversation) -> tuple[Address, ...]:
    rows = await session.scalars(
        select(Participant.address)
        .where(Participant.conversation_id == conversation.id, Participant.left_at.is_(None))
        .order_by(Participant.joined_at, Participant.address)
    )
    return tuple(Address(address) for address in rows)
