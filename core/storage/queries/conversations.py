"""Reads conversations as agents see them: everything said, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.domain.channel import DeliveryState
from core.domain.conversation import Responder, Speaker
from core.domain.errors import NotFound
from core.domain.ids import ContactId, ConversationId, MessageId
from core.storage.queries.tickets import Person
from core.storage.tables import (
    AgentRow,
    Attachment,
    ChoiceRow,
    Contact,
    Conversation,
    Message,
    Turn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A conversation and its requester."""

    id: ConversationId
    account: str
    responder: Responder
    requester: Person
    language: str | None
    subject: str | None
    opening: str  # the requester's first words
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceView:
    """A button under a message."""

    id: UUID
    label: str
    is_pressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file of a message."""

    name: str
    media_type: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """Something said in a conversation; internal notes too."""

    id: MessageId
    seq: int
    speaker: Speaker
    agent: Person | None
    is_internal: bool
    text: str
    unsupported: Sequence[str]
    files: Sequence[FileView]
    choices: Sequence[ChoiceView]
    is_press: bool  # the requester pressed a button; the text is its label
    intent: str | None  # what the assistant understood, in its own messages
    confidence: float | None
    delivery: DeliveryState
    delivery_detail: str | None
    at: datetime
    edited_at: datetime | None
    removed_at: datetime | None


async def conversation_view(
    session: AsyncSession, conversation: ConversationId
) -> ConversationView:
    """Return one conversation.

    Raises:
        NotFound: there is none.
    """
    found = await _views(session, Conversation.id == conversation, limit=1)
    if not found:
        raise NotFound("there is no such conversation")
    return found[0]


async def held_by_assistant(
    session: AsyncSession, since: datetime, limit: int = 50
) -> Sequence[ConversationView]:
    """Return conversations that the assistant is holding, with a word since `since`."""
    return await _views(session, *_held_since(since), limit=limit)


async def count_held_by_assistant(session: AsyncSession, since: datetime) -> int:
    """Return how many conversations the assistant is holding, with a word since `since`."""
    found = await session.scalar(
        select(func.count()).select_from(Conversation).where(*_held_since(since))
    )
    return found or 0


async def conversations_of(
    session: AsyncSession, requester: ContactId, *, besides: ConversationId, limit: int = 10
) -> Sequence[ConversationView]:
    """Return the requester's other conversations, newest first."""
    return await _views(
        session,
        Conversation.contact_id == requester,
        Conversation.id != besides,
        limit=limit,
    )


async def messages_before(
    session: AsyncSession, conversation: ConversationId, *, before: int | None, limit: int
) -> Sequence[MessageView]:
    """Return what was said, newest first, from messages numbered below `before`.

    Raises:
        NotFound: there is no such conversation.
    """
    if await session.get(Conversation, conversation) is None:
        raise NotFound("there is no such conversation")
    query = (
        select(Message, AgentRow, Turn.intent, Turn.confidence)
        .outerjoin(AgentRow, AgentRow.id == Message.agent_id)
        .outerjoin(Turn, Turn.id == Message.turn_id)
        .where(Message.conversation_id == conversation)
        .order_by(Message.seq.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Message.seq < before)
    found = (await session.execute(query)).all()
    pressed = await _pressed(session, [m.id for m, *_ in found if m.choices])
    files = await _files(session, [m.id for m, *_ in found])
    return [
        MessageView(
            id=MessageId(message.id),
            seq=message.seq,
            speaker=Speaker(message.speaker),
            agent=None
            if agent is None
            else Person(id=agent.id, name=agent.name, email=agent.email),
            is_internal=message.is_internal,
            text=message.text,
            unsupported=tuple(message.unsupported),
            files=files.get(message.id, ()),
            choices=[
                ChoiceView(
                    id=UUID(choice["id"]),
                    label=choice["label"],
                    is_pressed=UUID(choice["id"]) in pressed,
                )
                for choice in message.choices
            ],
            is_press=message.pressed_choice is not None,
            intent=intent,
            confidence=confidence,
            delivery=DeliveryState(message.delivery),
            delivery_detail=message.delivery_detail,
            at=message.created_at,
            edited_at=message.edited_at,
            removed_at=message.removed_at,
        )
        for message, agent, intent, confidence in found
    ]


async def message_view(
    session: AsyncSession, conversation: ConversationId, message: MessageId
) -> MessageView:
    """Return one message of a conversation.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(Message, message)
    if row is None or row.conversation_id != conversation:
        raise NotFound("there is no such message")
    (view,) = await messages_before(session, conversation, before=row.seq + 1, limit=1)
    return view


def _held_since(
    since: datetime,
) -> Sequence[ColumnElement[bool] | InstrumentedAttribute[bool]]:
    return (
        Conversation.is_current,
        # Written out, not sent beside the statement: a plan for any responder could not use the
        # index of those that the assistant is holding.
        Conversation.responder == literal(Responder.BOT.value, literal_execute=True),
        Conversation.last_message_at > since,
        Conversation.last_seq >= Conversation.first_seq,
    )


async def _views(
    session: AsyncSession,
    *conditions: ColumnElement[bool] | InstrumentedAttribute[bool],
    limit: int,
) -> Sequence[ConversationView]:
    opening = (
        select(Message.text)
        .where(Message.conversation_id == Conversation.id, Message.speaker == Speaker.CUSTOMER)
        .order_by(Message.seq)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Conversation, Contact, opening)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(*conditions)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    return [
        ConversationView(
            id=ConversationId(conversation.id),
            account=conversation.account_id,
            responder=Responder(conversation.responder),
            requester=Person(id=contact.id, name=contact.name, email=contact.email),
            language=conversation.language,
            subject=conversation.subject,
            opening=words or "",
            created_at=conversation.created_at,
            last_message_at=conversation.last_message_at,
        )
        for conversation, contact, words in rows
    ]


async def _pressed(session: AsyncSession, messages: Sequence[UUID]) -> set[UUID]:
    """Return the choices under `messages` that were pressed."""
    if not messages:
        return set()
    rows = await session.scalars(
        select(ChoiceRow.id)
        .join(Message, Message.pressed_choice == ChoiceRow.id)
        .where(
            ChoiceRow.message_id.in_(messages),
            Message.conversation_id == ChoiceRow.conversation_id,
        )
    )
    return set(rows)


async def _files(session: AsyncSession, messages: Sequence[UUID]) -> dict[UUID, list[FileView]]:
    if not messages:
        return {}
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.message_id.in_(messages))
        .order_by(Attachment.message_id, Attachment.position)
    )
    found: dict[UUID, list[FileView]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(
            FileView(name=row.name, media_type=row.media_type, size_bytes=row.size_bytes)
        )
    return found
