"""Reads conversations as agents see them: everything said, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, cast, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.domain.account import Origin
from core.domain.channel import DeliveryState, RecipientOutcome
from core.domain.content import Caution, Envelope
from core.domain.conversation import Responder, Speaker
from core.domain.errors import NotFound
from core.domain.ids import Address, ContactId, ConversationId, MessageId, TicketId
from core.storage.queries.files import FileView, files_of
from core.storage.queries.sight import Sight, main_ticket
from core.storage.queries.tickets import Person, requester_of
from core.storage.tables import (
    Account,
    AgentRow,
    ChoiceRow,
    Contact,
    ContactAddress,
    Conversation,
    Message,
    MessageRevision,
    Participant,
    Ticket,
    TicketEvent,
    Turn,
)

_MOST_SIDES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A conversation and its requester."""

    id: ConversationId
    account: str
    channel: str | None  # the account's kind
    thread: str
    responder: Responder
    requester: Person
    address: str | None  # of the requester: the one this conversation began with
    side_of: ConversationId | None  # the conversation it is held beside
    language: str | None
    subject: str | None
    opening: str  # the requester's first words
    unreachable_since: datetime | None
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantView:
    """Somebody in a thread besides the requester."""

    address: str
    name: str | None
    left_at: datetime | None


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
    session: AsyncSession,
    requester: ContactId,
    *,
    besides: ConversationId,
    sight: Sight | None,
    limit: int = 10,
) -> Sequence[ConversationView]:
    """Return the requester's other conversations as far as `sight` goes, newest first."""
    conditions: list[ColumnElement[bool]] = [
        Conversation.contact_id == requester,
        Conversation.id != besides,
        Conversation.last_seq >= Conversation.first_seq,  # one that was put back is empty
        Conversation.is_spam.is_(False),
    ]
    if sight is not None:
        conditions.append(sight.holds_conversation())
    return await _views(session, *conditions, limit=limit)


async def list_conversations(
    session: AsyncSession,
    *,
    requester: ContactId | None = None,
    responder: Responder | None = None,
    has_ticket: bool | None = None,
    beside: Collection[ConversationId] | None = None,
    sight: Sight | None,
    before: ConversationId | None = None,
    limit: int = 50,
) -> Sequence[ConversationView]:
    """Return conversations as far as `sight` goes, begun last first, from before one of them.

    One that is held beside another belongs to that one's ticket; `beside` wants only those that
    are held beside some. Spam and rehearsals are left out.
    """
    own, account = aliased(Ticket), aliased(Account)
    conditions: list[ColumnElement[bool]] = [
        Conversation.last_seq >= Conversation.first_seq,  # one that was put back is empty
        Conversation.is_spam.is_(False),
        ~exists().where(account.id == Conversation.account_id, account.origin == Origin.REHEARSAL),
    ]
    if requester is not None:
        conditions.append(Conversation.contact_id == requester)
    if responder is not None:
        conditions.append(Conversation.responder == responder)
    if has_ticket is not None:
        is_of_one = or_(
            Conversation.side_of.is_not(None),
            exists().where(own.conversation_id == Conversation.id),
        )
        conditions.append(is_of_one if has_ticket else ~is_of_one)
    if beside is not None:
        conditions.append(Conversation.side_of.in_(beside))
    if sight is not None:
        conditions.append(sight.holds_conversation())
    if before is not None:
        conditions.append(Conversation.id < before)
    # First which ones, then all about them: more tables than the planner puts in order.
    chosen = select(Conversation.id).where(*conditions).order_by(Conversation.id.desc())
    ids = (await session.scalars(chosen.limit(limit))).all()
    found = {view.id: view for view in await _views(session, Conversation.id.in_(ids), limit=limit)}
    return [found[ConversationId(one)] for one in ids if one in found]


async def tickets_of(
    session: AsyncSession, conversations: Collection[ConversationId]
) -> Mapping[ConversationId, int]:
    """Return the numbers of the tickets that conversations belong to; those without are left out.

    That is where a conversation goes on that was merged, else its newest.
    """
    if not conversations:
        return {}
    rows = await session.execute(
        select(Conversation.id, Ticket.number)
        .join(Ticket, Ticket.id == main_ticket())
        .where(Conversation.id.in_(conversations))
    )
    return {ConversationId(one): number for one, number in rows}


async def conversations_named(
    session: AsyncSession, conversations: Sequence[ConversationId]
) -> Mapping[ConversationId, ConversationView]:
    """Return conversations by id."""
    if not conversations:
        return {}
    chosen = Conversation.id.in_(conversations)
    return {view.id: view for view in await _views(session, chosen, limit=len(conversations))}


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

    `until` limits it to what is said of one ticket (see `said_of`).
    """
    limits = () if until is None else (until,)
    return await _messages(session, Message.conversation_id == conversation, *limits, limit=limit)


async def said_of(session: AsyncSession, ticket: TicketId) -> ColumnElement[bool] | None:
    """Return which messages of its conversation belong to a closed ticket that others followed.

    That is all before the requester wrote anew, and what was left in the ticket since. None where
    it is not closed, or nobody has written since.
    """
    row = await session.get_one(Ticket, ticket)
    if row.closed_at is None:
        return None
    anew = await session.scalar(
        select(func.min(Message.seq)).where(
            Message.conversation_id == row.conversation_id,
            Message.speaker == Speaker.CUSTOMER,
            Message.is_automatic.is_(False),
            Message.pressed_choice.is_(None),  # as a survey's
            Message.created_at > row.closed_at,
        )
    )
    if anew is None:
        return None
    left = select(cast(TicketEvent.new, Uuid)).where(
        TicketEvent.ticket_id == ticket, TicketEvent.field == "message"
    )
    return or_(Message.seq < anew, Message.id.in_(left))


async def messages_by_time(
    session: AsyncSession, which: ColumnElement[bool], *, limit: int
) -> Sequence[MessageView]:
    """Return messages of several conversations, the latest that was heard of first."""
    return await _messages(
        session, which, order=(Message.created_at.desc(), Message.seq.desc()), limit=limit
    )


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
    pressed = await _pressed(session, [m.id for m, *_ in found if m.choices])
    files = await files_of(session, [m.id for m, *_ in found])
    revisions = await _revisions(session, [m.id for m, *_ in found if m.edited_at])
    return [
        MessageView(
            id=MessageId(message.id),
            conversation=ConversationId(message.conversation_id),
            seq=message.seq,
            speaker=Speaker(message.speaker),
            author=author,
            agent=None
            if agent is None
            else Person(id=agent.id, name=agent.name, email=agent.email),
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
            revisions=revisions.get(message.id, ()),
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
        for message, agent, intent, confidence, author in found
    ]


async def participants_of(
    session: AsyncSession, conversation: ConversationId
) -> Sequence[ParticipantView]:
    """Return who is or was in a conversation besides its requester, earliest first."""
    rows = await session.scalars(
        select(Participant)
        .where(Participant.conversation_id == conversation)
        .order_by(Participant.joined_at, Participant.address)
    )
    return [
        ParticipantView(address=row.address, name=row.name, left_at=row.left_at) for row in rows
    ]


async def sides_of(
    session: AsyncSession, conversations: Collection[ConversationId], *, sight: Sight | None
) -> Sequence[ConversationView]:
    """Return the conversations held beside one of these, latest word first, as far as one sees.

    They belong to the newest ticket of the conversation, not to those before it.
    """
    conditions: list[ColumnElement[bool]] = [Conversation.side_of.in_(conversations)]
    if sight is not None:
        conditions.append(sight.holds_conversation())
    return await _views(session, *conditions, limit=_MOST_SIDES)


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


def _held_since(
    since: datetime,
) -> Sequence[ColumnElement[bool] | InstrumentedAttribute[bool]]:
    return (
        or_(Conversation.is_current, Conversation.is_beside),
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
        .where(
            Message.conversation_id == Conversation.id,
            Message.speaker == Speaker.CUSTOMER,
            Message.is_automatic.is_(False),
        )
        .order_by(Message.position, Message.seq)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Conversation, Contact, Account.channel, opening)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .where(*conditions)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    return [
        ConversationView(
            id=ConversationId(conversation.id),
            account=conversation.account_id,
            channel=channel,
            thread=conversation.thread,
            responder=Responder(conversation.responder),
            requester=requester_of(contact, conversation.address),
            address=conversation.address,
            side_of=None if conversation.side_of is None else ConversationId(conversation.side_of),
            language=conversation.language,
            subject=conversation.subject,
            opening=words or "",
            unreachable_since=conversation.unreachable_since,
            created_at=conversation.created_at,
            last_message_at=conversation.last_message_at,
        )
        for conversation, contact, channel, words in rows
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
