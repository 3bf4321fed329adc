"""Reads conversations as agents see them: with whom, who has the word, what they began with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.domain.account import Origin
from core.domain.conversation import Responder, Speaker
from core.domain.errors import NotFound
from core.domain.ids import ContactId, ConversationId
from core.storage.queries.access.sight import Sight, main_ticket
from core.storage.queries.tickets.tickets import Person, requester_of
from core.storage.tables import Account, Contact, Conversation, Message, Participant, Ticket

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
    account = aliased(Account)
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
        is_of_one = or_(Conversation.has_ticket, Conversation.side_of.is_not(None))
        # `NOT has_ticket`, as it is written in its index, so that it is used.
        is_of_none = and_(~Conversation.has_ticket, Conversation.side_of.is_(None))
        conditions.append(is_of_one if has_ticket else is_of_none)
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
