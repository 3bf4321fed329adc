"""Finds and locks the records that a batch of inbound events concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Responder
from core.domain.events import (
    ChoicePressed,
    DeliveryReported,
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.ids import AccountId, ChoiceId, new_id
from core.domain.ticket import TicketStatus
from core.storage.tables import (
    ChoiceRow,
    Contact,
    ContactAddress,
    Conversation,
    Message,
    Participant,
    RemoteMessage,
    Ticket,
)

_NAMES_A_MESSAGE = (MessageEdited, MessageRemoved, ReactionChanged, DeliveryReported)

Place = tuple[AccountId, str]
"""An account and one of its threads."""


@dataclass(slots=True, kw_only=True)
class Records:
    """The locked records that a batch of events concerns."""

    contacts: Mapping[Place, UUID]  # by account and address
    conversations: dict[Place, Conversation]  # current ones, by account and thread
    tickets: Mapping[UUID, Ticket]  # unclosed ones, by conversation
    choices: Mapping[ChoiceId, ChoiceRow]
    pressed: set[UUID]  # messages of which a button was pressed already
    messages: Mapping[Place, Message]  # by account and remote id
    taken_threads: set[Place] = field(default_factory=set)
    started: list[Conversation] = field(default_factory=list)
    joined: list[Participant] = field(default_factory=list)


async def load(session: AsyncSession, events: Sequence[Event]) -> Records:
    """Find and lock what `events` concern: contacts, then conversations, then tickets."""
    opening = [event for event in events if isinstance(event, MessagePosted | ChoicePressed)]
    contacts = await _contacts(session, opening)
    places: set[Place] = {(event.account, event.thread) for event in events}
    conversations = await _lock_conversations(session, places)
    tickets = {}
    waiting = [c.id for c in conversations.values() if c.responder != Responder.BOT]
    if waiting:
        tickets = {
            ticket.conversation_id: ticket
            for ticket in await session.scalars(
                select(Ticket)
                .where(Ticket.conversation_id.in_(waiting), Ticket.status != TicketStatus.CLOSED)
                .order_by(Ticket.id)
                .with_for_update()
            )
        }
    records = Records(
        contacts=contacts,
        conversations=conversations,
        tickets=tickets,
        choices={},
        pressed=set(),
        messages={},
    )
    pressed = [event.choice for event in events if isinstance(event, ChoicePressed)]
    if pressed:
        await _load_choices(session, pressed, records)
    named = {(e.account, e.remote_id) for e in events if isinstance(e, _NAMES_A_MESSAGE)}
    if named:
        found = await session.execute(
            select(RemoteMessage.account_id, RemoteMessage.remote_id, Message)
            .join(Message, Message.id == RemoteMessage.message_id)
            .where(tuple_(RemoteMessage.account_id, RemoteMessage.remote_id).in_(named))
        )
        records.messages = {(AccountId(row[0]), row[1]): row[2] for row in found}
    moved = {(e.account, e.new_thread) for e in events if isinstance(e, ThreadMoved)}
    if moved:
        taken = await session.execute(
            select(Conversation.account_id, Conversation.thread).where(
                tuple_(Conversation.account_id, Conversation.thread).in_(moved),
                Conversation.is_current,
            )
        )
        records.taken_threads = {(AccountId(row[0]), row[1]) for row in taken}
    return records


async def _contacts(
    session: AsyncSession, events: Sequence[MessagePosted | ChoicePressed]
) -> dict[Place, Any]:
    """Return the contact of each author, made where there was none."""
    authors = {(event.account, str(event.author.address)): event.author for event in events}
    if not authors:
        return {}

    async def known() -> dict[Place, Any]:
        rows = await session.execute(
            select(
                ContactAddress.account_id, ContactAddress.address, ContactAddress.contact_id
            ).where(tuple_(ContactAddress.account_id, ContactAddress.address).in_(list(authors)))
        )
        return {(AccountId(row[0]), row[1]): row[2] for row in rows}

    contacts = await known()
    missing = sorted(authors.keys() - contacts.keys())
    if not missing:
        return contacts
    fresh = {place: new_id() for place in missing}
    won = await session.execute(
        upsert(ContactAddress)
        .values(
            [
                {"account_id": account, "address": address, "contact_id": fresh[account, address]}
                for account, address in missing
            ]
        )
        .on_conflict_do_nothing()
        .returning(ContactAddress.account_id, ContactAddress.address)
    )
    mine = [(AccountId(row.account_id), row.address) for row in won]
    if mine:
        await session.execute(
            insert(Contact),
            [
                {
                    "id": fresh[place],
                    "name": authors[place].name,
                    "email": authors[place].email,
                    "language": authors[place].language,
                }
                for place in mine
            ],
        )
        contacts.update({place: fresh[place] for place in mine})
    if len(contacts) < len(authors):
        contacts = await known()
    return contacts


async def _lock_conversations(
    session: AsyncSession, places: set[Place]
) -> dict[Place, Conversation]:
    if not places:
        return {}
    rows = await session.scalars(
        select(Conversation)
        .where(tuple_(Conversation.account_id, Conversation.thread).in_(places))
        .where(Conversation.is_current)
        .order_by(Conversation.id)
        .with_for_update()
    )
    return {(AccountId(row.account_id), row.thread): row for row in rows}


async def _load_choices(
    session: AsyncSession, pressed: Sequence[ChoiceId], records: Records
) -> None:
    choices = list(await session.scalars(select(ChoiceRow).where(ChoiceRow.id.in_(pressed))))
    records.choices = {ChoiceId(choice.id): choice for choice in choices}
    used = await session.scalars(
        select(ChoiceRow.message_id)
        .join(Message, Message.pressed_choice == ChoiceRow.id)
        .where(
            ChoiceRow.message_id.in_({choice.message_id for choice in choices}),
            Message.conversation_id.in_({choice.conversation_id for choice in choices}),
        )
    )
    records.pressed = set(used)


async def add_conversations(session: AsyncSession, records: Records) -> None:
    """Insert the conversations that began; replaced ones give up their thread first.

    Raises `IntegrityError` where another process began one in the same thread meanwhile.
    """
    if records.started:
        await session.flush()
        session.add_all(records.started)
        await session.flush()
