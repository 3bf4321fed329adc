"""Finds and locks the records that a batch of inbound events concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeGuard
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.content import Envelope
from core.domain.conversation import Responder, Speaker
from core.domain.desk_choices import RATE
from core.domain.events import (
    Author,
    ChoicePressed,
    DeliveryReported,
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ProfileChanged,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.ids import AccountId, ChoiceId
from core.domain.linking import REMEMBERED, code_in
from core.domain.ticket import TicketStatus
from core.services.intake.early_events import kept_for
from core.services.intake.message_changes import Known
from core.services.intake.order import Place, late_places, tails
from core.services.intake.records import Records
from core.services.json_forms import envelope_from_json
from core.services.ledger import Ledger
from core.services.locks import keep_counters
from core.services.people.moves import Move, move, theirs
from core.services.people.people import recognise
from core.services.satisfaction.questions import surveys_that_take_answers
from core.storage.places import is_listed, listed
from core.storage.queries.links.merges import ticket_above
from core.storage.tables import (
    AgentRow,
    Attachment,
    ChoiceRow,
    Conversation,
    LinkCode,
    Message,
    Participant,
    RemoteMessage,
    Ticket,
)

_NAMES_A_MESSAGE = (MessageEdited, MessageRemoved, ReactionChanged, DeliveryReported)


async def load(
    session: AsyncSession, events: Sequence[Event], ledger: Ledger, *, locks_people: bool = False
) -> Records:
    """Find and lock what `events` concern: contacts, then conversations, then tickets.

    Of contacts it locks those alone that are joined now, or with `locks_people` all.
    """
    people = await recognise(
        session,
        ledger,
        _authors(event for event in events if _may_open(event)),
        _authors(event for event in events if isinstance(event, ProfileChanged)),
        locks_all=locks_people,
    )
    named = {(e.account, str(e.remote_id)) for e in events if isinstance(e, _NAMES_A_MESSAGE)}
    answered = {
        (e.account, str(e.answers)) for e in events if isinstance(e, MessagePosted) and e.answers
    }
    locked = await _lock_conversations(
        session,
        {(event.account, str(event.thread)) for event in events if event.thread},
        await _conversations_of(session, named),
        people.moves,
    )
    if people.moves:
        await move(session, ledger, people.moves, list(locked.values()))
    conversations, siblings = _by_place(locked.values())
    tickets = await _lock_tickets(session, locked.values())
    above = await _above(session, locked.values(), tickets)
    posting = [event for event in events if isinstance(event, MessagePosted | ChoicePressed)]
    newest = {
        place: max(one.last_order or "" for one in (conversation, *siblings.get(place, ())))
        for place, conversation in conversations.items()
    }
    if answered and siblings:
        named |= answered
    reported = {(e.account, str(e.remote_id)) for e in events if isinstance(e, DeliveryReported)}
    records = Records(
        contacts=people.contacts,
        made=people.made,
        by_email=people.by_email,
        languages=people.languages,
        chosen=people.chosen,
        blocked=people.blocked,
        to_look_up=set(people.wanted) - set(people.blocked),
        conversations=conversations,
        siblings=siblings,
        by_id=locked,
        tickets=tickets,
        above=above,
        messages=await _known_messages(session, named, reported, locked, tickets, above),
        tails=await tails(session, late_places(posting, newest)),
        present=await _participants(session, posting, conversations),
        kept=await kept_for(session, _names(posting)),
    )
    await _load_rare(session, events, records, ledger.now)
    return records


def _may_open(event: Event) -> TypeGuard[MessagePosted | ChoicePressed]:
    """Say whether a conversation may begin with `event`."""
    return isinstance(event, ChoicePressed) or (
        isinstance(event, MessagePosted) and (event.is_spam or not event.is_automatic)
    )


def _authors(
    events: Iterable[MessagePosted | ChoicePressed | ProfileChanged],
) -> dict[Place, Author]:
    return {(event.account, str(event.author.address)): event.author for event in events}


def _names(events: Iterable[MessagePosted | ChoicePressed]) -> set[Place]:
    """Return what the platforms call the messages of these events."""
    return {
        (event.account, str(name))
        for event in events
        if isinstance(event, MessagePosted)
        for name in event.remote_ids
    }


def _by_place(
    rows: Iterable[Conversation],
) -> tuple[dict[Place, Conversation], dict[Place, list[Conversation]]]:
    """Return the current conversation of each thread, and those that go on beside it."""
    current: dict[Place, Conversation] = {}
    beside: dict[Place, list[Conversation]] = {}
    for row in rows:
        place = (AccountId(row.account_id), row.thread)
        if row.is_current:
            current[place] = row
        if row.is_beside:
            beside.setdefault(place, []).append(row)
    return current, beside


async def _load_rare(
    session: AsyncSession, events: Sequence[Event], records: Records, now: datetime
) -> None:
    """Add what few events need: whom they claim to be, codes, pressed buttons, taken threads."""
    posted = [event for event in events if isinstance(event, MessagePosted)]
    claimed = {
        event.author.address.lower()
        for event in posted
        if event.envelope and event.author.email is None
    }
    if claimed:
        found = await session.scalars(select(AgentRow.email).where(AgentRow.email.in_(claimed)))
        records.agents = set(found)
    entered = {
        (event.account, str(event.author.address)) for event in posted if code_in(event.body.text)
    }
    if entered:
        records.awaited = await _awaited(session, entered, now - REMEMBERED)
    rated = {
        event.intent.entities["survey"]
        for event in posted
        if event.intent and event.intent.name == RATE
    }
    if rated:
        records.surveys = await surveys_that_take_answers(session, rated, now)
    pressed = [event.choice for event in events if isinstance(event, ChoicePressed)]
    if pressed:
        await _load_choices(session, pressed, records)
    moved = {(e.account, str(e.new_thread)) for e in events if isinstance(e, ThreadMoved)}
    if moved:
        taken = await session.execute(
            select(Conversation.account_id, Conversation.thread).where(
                is_listed(Conversation.account_id, Conversation.thread, moved),
                Conversation.is_current,
            )
        )
        records.taken_threads = {(AccountId(row[0]), row[1]) for row in taken}


async def _conversations_of(session: AsyncSession, named: set[Place]) -> set[UUID]:
    """Return the conversations of the messages with these remote ids, and those they are in."""
    if not named:
        return set()
    found = await session.execute(
        select(Message.conversation_id, Conversation.merged_into, Conversation.counted_by)
        .join(RemoteMessage, RemoteMessage.message_id == Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(is_listed(RemoteMessage.account_id, RemoteMessage.remote_id, named))
    )
    return {one for row in found for one in row if one is not None}


async def _lock_conversations(
    session: AsyncSession, places: set[Place], ids: set[UUID], moves: Sequence[Move]
) -> dict[UUID, Conversation]:
    """Lock the conversations that go on in `places`, those in `ids`, and those of `moves`.

    Those that one of them was merged into, or is counted by, are locked with them.
    """
    wanted: list[ColumnElement[bool]] = []
    if places:
        # As an array, which an index can be asked for: beside the other conditions, a sub-select
        # would have every conversation read.
        there, place = aliased(Conversation), listed(places)
        going_on = array([there.id, there.merged_into, there.counted_by])
        found = union_all(
            *(
                select(func.unnest(going_on))
                .join(place, (place.c.account == there.account_id) & (place.c.name == there.thread))
                .where(flag)
                for flag in (there.is_current, there.is_beside)
            )
        )
        wanted.append(
            Conversation.id == any_(func.array(found.scalar_subquery(), type_=ARRAY(Uuid)))
        )
    if ids:
        wanted.append(Conversation.id.in_(ids))
    if moves:
        wanted.append(theirs(moves))
    if not wanted:
        return {}
    rows = await session.scalars(
        select(Conversation).where(or_(*wanted)).order_by(Conversation.id).with_for_update()
    )
    locked = {row.id: row for row in rows}
    # Merged while this waited for a lock.
    late = {row.merged_into for row in locked.values() if row.merged_into} - locked.keys()
    if late:
        rows = await session.scalars(
            select(Conversation)
            .where(Conversation.id.in_(late))
            .order_by(Conversation.id)
            .with_for_update()
        )
        locked |= {row.id: row for row in rows}
    keep_counters(row for row in locked.values() if row.counted_by in locked)
    return locked


async def _lock_tickets(
    session: AsyncSession, conversations: Iterable[Conversation]
) -> dict[UUID, Ticket]:
    waiting = [c.id for c in conversations if c.responder != Responder.BOT]
    if not waiting:
        return {}
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.conversation_id.in_(waiting), Ticket.status != TicketStatus.CLOSED)
        .order_by(Ticket.id)
        .with_for_update()
    )
    return {ticket.conversation_id: ticket for ticket in rows}


async def _above(
    session: AsyncSession, conversations: Iterable[Conversation], tickets: Mapping[UUID, Ticket]
) -> dict[UUID, Ticket | None]:
    """Return in which tickets merged conversations go on.

    Another ticket that has begun since in the conversation that one points to is not its own.
    """
    found: dict[UUID, Ticket | None] = {}
    for conversation in conversations:
        if conversation.merged_into is not None:
            ticket = tickets.get(conversation.merged_into)
            named = None if ticket is None else await ticket_above(session, conversation.id)
            is_theirs = ticket is not None and ticket.id == named
            found[conversation.id] = ticket if is_theirs else None
    return found


async def _known_messages(
    session: AsyncSession,
    named: set[Place],
    reported: set[Place],
    locked: Mapping[UUID, Conversation],
    tickets: Mapping[UUID, Ticket],
    above: Mapping[UUID, Ticket | None],
) -> dict[Place, Known]:
    if not named:
        return {}
    found = await session.execute(
        select(RemoteMessage.account_id, RemoteMessage.remote_id, Message)
        .join(Message, Message.id == RemoteMessage.message_id)
        .where(is_listed(RemoteMessage.account_id, RemoteMessage.remote_id, named))
        .where(Message.conversation_id.in_(locked))
    )
    rows = [((AccountId(account), name), message) for account, name, message in found]
    attachments = await attachments_of(session, [message.id for _, message in rows])
    about = [message for place, message in rows if place in reported]
    sent_to = await _sent_to(session, about, locked)
    found_messages: dict[Place, Known] = {}
    for place, message in rows:
        conversation = locked[message.conversation_id]
        home = None if conversation.merged_into is None else locked[conversation.merged_into]
        found_messages[place] = Known(
            message=message,
            conversation=conversation,
            merged_into=home,
            ticket=above[conversation.id] if home else tickets.get(conversation.id),
            attachments=attachments.get(message.id, ()),
            sent_to=sent_to.get(message.id, ()),
        )
    return found_messages


async def _sent_to(
    session: AsyncSession, messages: Sequence[Message], conversations: Mapping[UUID, Conversation]
) -> dict[UUID, set[str]]:
    """Return whom each of `messages` was for: as it says itself, or by its speaker.

    What an agent says goes to all who were ever in on it, what the desk says to the requester.
    """
    found: dict[UUID, set[str]] = {}
    for message in messages:
        letter = envelope_from_json(message.envelope) or Envelope()
        found[message.id] = {*letter.to, *letter.cc, *letter.bcc}
    unsaid = [message for message in messages if not found[message.id]]
    places = {one.conversation_id for one in unsaid if one.speaker == Speaker.AGENT}
    people: dict[UUID, set[str]] = {place: set() for place in places}
    if places:
        rows = await session.execute(
            select(Participant.conversation_id, Participant.address).where(
                Participant.conversation_id.in_(places)
            )
        )
        for place, address in rows:
            people[place].add(address)
    for message in unsaid:
        if message.speaker == Speaker.AGENT:
            found[message.id] |= people[message.conversation_id]
        if (requester := conversations[message.conversation_id].address) is not None:
            found[message.id].add(requester)
    return found


async def attachments_of(
    session: AsyncSession, messages: Sequence[UUID]
) -> dict[UUID, list[Attachment]]:
    """Return the files of messages."""
    found: dict[UUID, list[Attachment]] = {}
    if messages:
        for row in await session.scalars(
            select(Attachment).where(Attachment.message_id.in_(messages))
        ):
            found.setdefault(row.message_id, []).append(row)
    return found


async def _participants(
    session: AsyncSession,
    events: Sequence[MessagePosted | ChoicePressed],
    conversations: Mapping[Place, Conversation],
) -> dict[UUID, frozenset[str]]:
    """Return who is present in the conversations that letters came to."""
    letters = {
        conversations[event.account, event.thread].id
        for event in events
        if isinstance(event, MessagePosted)
        and event.envelope is not None
        and (event.account, event.thread) in conversations
    }
    if not letters:
        return {}
    present: dict[UUID, set[str]] = {}
    for conversation, address in await session.execute(
        select(Participant.conversation_id, Participant.address).where(
            Participant.conversation_id.in_(letters), Participant.left_at.is_(None)
        )
    ):
        present.setdefault(conversation, set()).add(address)
    return {conversation: frozenset(addresses) for conversation, addresses in present.items()}


async def _awaited(session: AsyncSession, people: set[Place], ended_after: datetime) -> set[Place]:
    """Return who of `people` was sent a code to enter that was good until after `ended_after`."""
    rows = await session.execute(
        select(LinkCode.account_id, LinkCode.address).where(
            is_listed(LinkCode.account_id, LinkCode.address, people),
            LinkCode.ended_at.is_(None),
            LinkCode.proven_at.is_(None),
            LinkCode.expires_at > ended_after,
        )
    )
    return {(AccountId(account), address) for account, address in rows}


async def _load_choices(
    session: AsyncSession, pressed: Sequence[ChoiceId], records: Records
) -> None:
    choices = list(await session.scalars(select(ChoiceRow).where(ChoiceRow.id.in_(pressed))))
    records.choices = {ChoiceId(choice.id): choice for choice in choices}
    # In all that goes on in their threads: a split may have parted a button from its press.
    places = {(one.account_id, one.thread) for one in _homes(choices, records)}
    there = [one.id for one in records.by_id.values() if (one.account_id, one.thread) in places]
    used = await session.scalars(
        select(ChoiceRow.message_id)
        .join(Message, Message.pressed_choice == ChoiceRow.id)
        .where(
            ChoiceRow.message_id.in_({choice.message_id for choice in choices}),
            Message.conversation_id.in_(there),
        )
    )
    records.pressed = set(used)


def _homes(choices: Iterable[ChoiceRow], records: Records) -> Sequence[Conversation]:
    found = (records.by_id.get(choice.conversation_id) for choice in choices)
    return [conversation for conversation in found if conversation is not None]
