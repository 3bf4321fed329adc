"""Reads what was said in conversations as agents see it: by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, cast, false, func, not_, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import DeliveryState, RecipientOutcome
from core.domain.content import Caution, Envelope
from core.domain.conversation import Speaker
from core.domain.desk_choices import RATE
from core.domain.errors import NotFound
from core.domain.ids import Address, ConversationId, MessageId, TicketId
from core.storage.queries.files import FileView, files_of
from core.storage.queries.tickets.tickets import Person
from core.storage.tables import (
    AgentRow,
    ChoiceRow,
    ContactAddress,
    Conversation,
    Message,
    MessageRevision,
    Ticket,
    TicketEvent,
    Turn,
)

LAST_ANSWER = (
    select(Message.text)
    .where(
        Message.conversation_id == Ticket.conversation_id,
        Message.speaker == Speaker.AGENT,
        Message.is_internal.is_(False),
        Message.removed_at.is_(None),
    )
    .order_by(Message.position.desc(), Message.seq.desc())
    .limit(1)
    .correlate(Ticket)
    .scalar_subquery()
)
"""What an agent said last to the requester of the ticket that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceView:
    """A button under a message."""

    id: UUID
    label: str
    is_pressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionView:
    """What a message said before an edit."""

    text: str
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientReport:
    """What became of a message for one recipient."""

    outcome: RecipientOutcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """The two people behind a letter that one of them passed on."""

    by: str  # addresses
    author: str
    author_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """Something said in a conversation; internal notes too."""

    id: MessageId
    conversation: ConversationId
    seq: int
    speaker: Speaker
    author: str | None  # name or address, of another person than the requester
    agent: Person | None
    is_internal: bool
    text: str
    html: str | None  # sanitised
    quoted: str | None
    signature: str | None
    envelope: Envelope | None
    passed_on: PassedOn | None
    caution: Caution | None
    is_automatic: bool
    reactions: Mapping[str, int]  # how many people reacted with what
    revisions: Sequence[RevisionView]  # oldest first
    unsupported: Sequence[str]
    files: Sequence[FileView]
    choices: Sequence[ChoiceView]
    is_press: bool  # the requester pressed a button; the text is its label
    intent: str | None  # what the assistant understood, in its own messages
    confidence: float | None
    delivery: DeliveryState
    delivery_detail: str | None
    reported: Mapping[str, RecipientReport]  # what was heard of single recipients, by address
    at: datetime
    edited_at: datetime | None
    removed_at: datetime | None


async def messages_before(
    session: AsyncSession, conversation: ConversationId, *, before: int | None, limit: int
) -> Sequence[MessageView]:
    """Return what was said, newest first in the platform's order, from above message `before`.

    Raises:
        NotFound: there is no such conversation.
    """
    if await session.get(Conversation, conversation) is None:
        raise NotFound("there is no such conversation")
    if before is None:
        return await latest_messages(session, conversation, limit=limit)
    place = tuple_(Message.position, Message.seq)
    position = await session.scalar(
        select(Message.position).where(
            Message.conversation_id == conversation, Message.seq == before
        )
    )
    return await _messages(
        session,
        Message.conversation_id == conversation,
        place < (float(before) if position is None else position, before),
        limit=limit,
    )


async def latest_messages(
    session: AsyncSession,
    conversation: ConversationId,
    *,
    limit: int,
    until: ColumnElement[bool] | None = None,
) -> Sequence[MessageView]:
    """Return what was said last, newest first in the platform's order.

    `until` limits it to what is said of one ticket (see `said_of`, `said_since_earlier`).
    """
    limits = () if until is None else (until,)
    return await _messages(session, Message.conversation_id == conversation, *limits, limit=limit)


async def said_of(session: AsyncSession, ticket: TicketId) -> ColumnElement[bool] | None:
    """Return which messages of its conversation belong to a closed ticket that others followed.

    That is all before the requester or an agent wrote anew, or somebody left a note in a later
    ticket, and what was left in the ticket since. None where it is not closed, or nobody has
    written since.
    """
    row = await session.get_one(Ticket, ticket)
    if row.closed_at is None:
        return None
    is_said_anew = and_(
        Message.speaker.in_((Speaker.CUSTOMER, Speaker.AGENT)),
        Message.is_internal.is_(False),
        Message.is_automatic.is_(False),
        Message.pressed_choice.is_(None),  # as a survey's
        Message.intent["name"].astext.is_distinct_from(RATE),  # by letter
        Message.created_at > row.closed_at,
    )
    later = select(Ticket.id).where(
        Ticket.conversation_id == row.conversation_id, Ticket.id > ticket
    )
    of_later = select(cast(TicketEvent.new, Uuid)).where(
        TicketEvent.ticket_id.in_(later), TicketEvent.field == "message"
    )
    anew = await session.scalar(
        select(func.min(Message.seq)).where(
            Message.conversation_id == row.conversation_id,
            or_(is_said_anew, Message.id.in_(of_later)),
        )
    )
    if anew is None:
        return None
    left = select(cast(TicketEvent.new, Uuid)).where(
        TicketEvent.ticket_id == ticket, TicketEvent.field == "message"
    )
    return or_(Message.seq < anew, Message.id.in_(left))


async def said_since_earlier(session: AsyncSession, ticket: TicketId) -> ColumnElement[bool]:
    """Return which messages of its conversation belong to no earlier ticket than `ticket`."""
    row = await session.get_one(Ticket, ticket)
    earlier = await session.scalar(
        select(Ticket.id)
        .where(Ticket.conversation_id == row.conversation_id, Ticket.id < ticket)
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if earlier is None:
        return true()
    of_earlier = await said_of(session, TicketId(earlier))
    return false() if of_earlier is None else not_(of_earlier)


async def said_after_its_beginning(
    session: AsyncSession, ticket: TicketId, messages: Collection[MessageId]
) -> Collection[MessageId]:
    """Return those of `messages` before which the requester said something in `ticket` already.

    None of those that belong to an earlier ticket of its conversation.
    """
    if not messages:
        return ()
    row = await session.get_one(Ticket, ticket)
    own = await said_since_earlier(session, ticket)
    place = tuple_(Message.position, Message.seq)
    began = await session.execute(
        select(Message.position, Message.seq)
        .where(
            Message.conversation_id == row.conversation_id,
            Message.speaker == Speaker.CUSTOMER,
            own,
        )
        .order_by(Message.position, Message.seq)
        .limit(1)
    )
    first = began.first()
    if first is None:
        return ()
    later = await session.scalars(
        select(Message.id).where(Message.id.in_(messages), own, place > (first.position, first.seq))
    )
    return {MessageId(found) for found in later}


async def messages_by_time(
    session: AsyncSession, which: ColumnElement[bool], *, limit: int
) -> Sequence[MessageView]:
    """Return messages of several conversations, the latest that was heard of first."""
    return await _messages(
        session, which, order=(Message.created_at.desc(), Message.seq.desc()), limit=limit
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What is read beside messages, by them."""

    pressed: Collection[UUID]  # choices
    files: Mapping[UUID, Sequence[FileView]]
    revisions: Mapping[UUID, Sequence[RevisionView]]


async def _messages(
    session: AsyncSession,
    *conditions: ColumnElement[bool],
    limit: int,
    order: Sequence[ColumnElement[Any]] = (Message.position.desc(), Message.seq.desc()),
) -> Sequence[MessageView]:
    query = (
        select(
            Message,
            AgentRow,
            Turn.intent,
            Turn.confidence,
            func.coalesce(ContactAddress.name, ContactAddress.address),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(AgentRow, AgentRow.id == Message.agent_id)
        .outerjoin(Turn, Turn.id == Message.turn_id)
        .outerjoin(
            ContactAddress,
            (ContactAddress.account_id == Conversation.account_id)
            & (ContactAddress.address == Message.author)
            & (Message.author != Conversation.address),
        )
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
    )
    found = (await session.execute(query)).all()
    beside = _Beside(
        pressed=await _pressed(session, [m.id for m, *_ in found if m.choices]),
        files=await files_of(session, [m.id for m, *_ in found]),
        revisions=await _revisions(session, [m.id for m, *_ in found if m.edited_at]),
    )
    return [_view(*row, beside) for row in found]


def _view(
    message: Message,
    agent: AgentRow | None,
    intent: str | None,
    confidence: float | None,
    author: str | None,
    beside: _Beside,
) -> MessageView:
    return MessageView(
        id=MessageId(message.id),
        conversation=ConversationId(message.conversation_id),
        seq=message.seq,
        speaker=Speaker(message.speaker),
        author=author,
        agent=None if agent is None else Person(id=agent.id, name=agent.name, email=agent.email),
        is_internal=message.is_internal,
        text=message.text,
        html=message.html,
        quoted=message.quoted,
        signature=message.signature,
        envelope=_envelope(message.envelope),
        passed_on=_passed_on(message),
        caution=None if message.caution is None else Caution(message.caution),
        is_automatic=message.is_automatic,
        reactions={
            reaction: len(people) for reaction, people in message.reactions.items() if people
        },
        revisions=beside.revisions.get(message.id, ()),
        unsupported=tuple(message.unsupported),
        files=beside.files.get(message.id, ()),
        choices=[
            ChoiceView(
                id=UUID(choice["id"]),
                label=choice["label"],
                is_pressed=UUID(choice["id"]) in beside.pressed,
            )
            for choice in message.choices
        ],
        is_press=message.pressed_choice is not None,
        intent=intent,
        confidence=confidence,
        delivery=DeliveryState(message.delivery),
        delivery_detail=message.delivery_detail,
        reported={
            address: RecipientReport(
                outcome=RecipientOutcome(report["outcome"]), detail=report["detail"]
            )
            for address, report in message.reported.items()
        },
        at=message.created_at,
        edited_at=message.edited_at,
        removed_at=message.removed_at,
    )


async def message_named(session: AsyncSession, message: MessageId) -> MessageView:
    """Return one message of whatever conversation.

    Raises:
        NotFound: there is none.
    """
    found = await _messages(session, Message.id == message, limit=1)
    if not found:
        raise NotFound("there is no such message")
    return found[0]


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
    (view,) = await _messages(session, Message.id == message, limit=1)
    return view


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


async def _revisions(
    session: AsyncSession, messages: Sequence[UUID]
) -> dict[UUID, list[RevisionView]]:
    if not messages:
        return {}
    rows = await session.scalars(
        select(MessageRevision)
        .where(MessageRevision.message_id.in_(messages))
        .order_by(MessageRevision.id)
    )
    found: dict[UUID, list[RevisionView]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(
            RevisionView(text=row.text, replaced_at=row.replaced_at)
        )
    return found


def _passed_on(message: Message) -> PassedOn | None:
    if message.forwarded_from is None or message.author is None:
        return None
    return PassedOn(
        by=message.author,
        author=message.forwarded_from["address"],
        author_name=message.forwarded_from["name"],
    )


def _envelope(stored: Mapping[str, Any] | None) -> Envelope | None:
    if stored is None:
        return None
    return Envelope(
        to=tuple(Address(address) for address in stored.get("to", ())),
        cc=tuple(Address(address) for address in stored.get("cc", ())),
        bcc=tuple(Address(address) for address in stored.get("bcc", ())),
        subject=stored.get("subject"),
    )
