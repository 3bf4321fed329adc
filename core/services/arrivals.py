"""What one inbound event changes, given the locked records it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.domain.channel import DeliveryState
from core.domain.content import Body, Choice, Intent
from core.domain.conversation import Cause, Responder, next_responder
from core.domain.events import (
    ChoicePressed,
    DeliveryReported,
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ParticipantChanged,
    ProfileChanged,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.ids import ChoiceId, ConversationId, MessageId, TicketId, new_id
from core.domain.ticket import TicketStatus, TicketTrigger, next_status
from core.ports import Refusal
from core.services.arrival_records import Records
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.tables import Conversation, Participant, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What applying an event came to."""

    message: MessageId | None = None
    seq: int | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRules:
    """Settings that decide where a message belongs."""

    reopen_window: timedelta
    default_language: str


def apply(
    event: Event, message_id: MessageId, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Outcome:
    """Change `records` and `ledger` by `event`; the caller writes them.

    `message_id` names the message that a posting event makes.
    """
    match event:
        case MessagePosted():
            return _posted(event, message_id, event.body, None, records, ledger, rules)
        case ChoicePressed():
            return _pressed(event, message_id, records, ledger, rules)
        case MessageEdited() | MessageRemoved() | ReactionChanged() | DeliveryReported():
            return _about_a_message(event, records, ledger)
        case ThreadMoved():
            return _moved(event, records, ledger)
        case ParticipantChanged():
            return _participant(event, records, ledger)
        case ProfileChanged() | ReachabilityChanged():
            return Outcome()


def _about_a_message(
    event: MessageEdited | MessageRemoved | ReactionChanged | DeliveryReported,
    records: Records,
    ledger: Ledger,
) -> Outcome:
    message = records.messages.get((event.account, event.remote_id))
    if message is None:
        return Outcome(refusal=Refusal.UNKNOWN_MESSAGE)
    match event:
        case MessageEdited():
            ledger.keep_revision(message)
            message.text, message.html = event.body.text, event.body.html
            message.edited_at = event.at
        case MessageRemoved():
            message.removed_at = event.at
        case ReactionChanged():
            message.reactions = _reacted(message.reactions, event)
        case DeliveryReported():
            message.delivery = DeliveryState.SENT if event.delivered else DeliveryState.FAILED
            message.delivery_detail = event.detail or None
    if conversation := records.conversations.get((event.account, event.thread)):
        ledger.changed(conversation, FeedKind.MESSAGE)
    return Outcome(message=MessageId(message.id), seq=message.seq)


def _posted(
    event: MessagePosted | ChoicePressed,
    message: MessageId,
    body: Body,
    pressed: Choice | None,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
) -> Outcome:
    conversation = _conversation_for(event, records, ledger, rules)
    seq = ledger.hear(
        conversation,
        body,
        message=message,
        at=event.at,
        remote_ids=event.remote_ids if isinstance(event, MessagePosted) else (),
        pressed=pressed,
    )
    if isinstance(event, MessagePosted) and event.subject and not conversation.subject:
        conversation.subject = event.subject
    if conversation.responder == Responder.BOT:
        ledger.want_turn(conversation)
    return Outcome(message=message, seq=seq)


def _conversation_for(
    event: MessagePosted | ChoicePressed, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Conversation:
    """Return the conversation that `event` belongs to, reopened or started as needed."""
    place = (event.account, event.thread)
    current = records.conversations.get(place)
    if current is None:
        return _start(event, None, records, ledger, rules)
    ticket = records.tickets.get(current.id)
    if current.responder != Responder.CLOSED:
        if ticket is not None:
            _move_ticket(ticket, TicketTrigger.CUSTOMER_WROTE, current, ledger)
        return current
    if ticket is not None and _ended_with(ticket, current):
        _move_ticket(ticket, TicketTrigger.CUSTOMER_WROTE, current, ledger)
        current.responder = next_responder(Responder.CLOSED, Cause.TICKET_REOPENED)
        if ticket.assignee_id is not None:
            current.responder = next_responder(current.responder, Cause.AGENT_TOOK)
    elif ledger.now - (current.closed_at or current.last_message_at) <= rules.reopen_window:
        begin_episode(current, next_responder(Responder.CLOSED, Cause.CUSTOMER_RETURNED))
    else:
        return _start(event, current, records, ledger, rules)
    current.closed_at = None
    ledger.changed(current, FeedKind.CONVERSATION)
    return current


def _ended_with(ticket: Ticket, conversation: Conversation) -> bool:
    """Say whether solving `ticket` is what ended `conversation`.

    After a hand-back it is the assistant that ends it, later, and the ticket stays solved.
    """
    return (
        ticket.solved_at is not None
        and conversation.closed_at is not None
        and ticket.solved_at >= conversation.closed_at
    )


def begin_episode(conversation: Conversation, responder: Responder) -> None:
    """Let the assistant begin afresh: earlier turns and their memory are no longer its own."""
    conversation.responder = responder
    conversation.episode += 1
    conversation.episode_first_seq = conversation.last_seq + 1


def _start(
    event: MessagePosted | ChoicePressed,
    previous: Conversation | None,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
) -> Conversation:
    last_seq = 0
    if previous is not None:
        previous.is_current = False
        last_seq = previous.last_seq
    conversation = Conversation(
        id=new_id(),
        account_id=event.account,
        thread=event.thread,
        is_current=True,
        contact_id=records.contacts[event.account, event.author.address],
        responder=Responder.BOT,
        episode=1,
        episode_first_seq=last_seq + 1,
        first_seq=last_seq + 1,
        last_seq=last_seq,
        language=event.author.language
        or (previous and previous.language)
        or rules.default_language,
        language_is_chosen=bool(previous and previous.language_is_chosen),
        last_message_at=ledger.now,
    )
    records.conversations[event.account, event.thread] = conversation
    records.started.append(conversation)
    ledger.changed(conversation, FeedKind.CONVERSATION)
    return conversation


def _move_ticket(
    ticket: Ticket, trigger: TicketTrigger, conversation: Conversation, ledger: Ledger
) -> None:
    old = TicketStatus(ticket.status)
    new = next_status(old, trigger)
    ticket.updated_at = ledger.now
    if new != old:
        ticket.status = new
        ticket.solved_at = None
        ledger.record(ticket, "status", old, new, actor="requester", reason=trigger)
        ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))


def _pressed(
    event: ChoicePressed,
    message: MessageId,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
) -> Outcome:
    choice = records.choices.get(event.choice)
    conversation = records.conversations.get((event.account, event.thread))
    if choice is None or conversation is None or choice.conversation_id != conversation.id:
        return Outcome(refusal=Refusal.UNKNOWN_CHOICE)
    if choice.message_id in records.pressed:
        return Outcome(refusal=Refusal.ALREADY_CHOSEN)
    records.pressed.add(choice.message_id)
    pressed = Choice(
        id=ChoiceId(choice.id),
        label=choice.label,
        intent=Intent(name=choice.intent, entities=choice.entities),
    )
    return _posted(event, message, Body(text=choice.label), pressed, records, ledger, rules)


def _reacted(reactions: Mapping[str, list[str]], event: ReactionChanged) -> dict[str, list[str]]:
    """Return `reactions`, a list of addresses by reaction, after `event`."""
    people = {name: list(addresses) for name, addresses in reactions.items()}
    who = [a for a in people.get(event.reaction, []) if a != event.author.address]
    if event.added:
        who.append(event.author.address)
    people[event.reaction] = who
    return {name: addresses for name, addresses in people.items() if addresses}


def _moved(event: ThreadMoved, records: Records, ledger: Ledger) -> Outcome:
    conversation = records.conversations.get((event.account, event.thread))
    if conversation is None:
        return Outcome(refusal=Refusal.UNKNOWN_THREAD)
    if (event.account, event.new_thread) in records.taken_threads:
        return Outcome(refusal=Refusal.THREAD_TAKEN)
    del records.conversations[event.account, event.thread]
    records.conversations[event.account, event.new_thread] = conversation
    conversation.thread = event.new_thread
    ledger.changed(conversation, FeedKind.CONVERSATION)
    return Outcome()


def _participant(event: ParticipantChanged, records: Records, ledger: Ledger) -> Outcome:
    conversation = records.conversations.get((event.account, event.thread))
    if conversation is None:
        return Outcome(refusal=Refusal.UNKNOWN_THREAD)
    records.joined.append(
        Participant(
            conversation_id=ConversationId(conversation.id),
            address=event.participant.address,
            name=event.participant.name,
            joined_at=event.at,
            left_at=None if event.joined else event.at,
        )
    )
    ledger.changed(conversation, FeedKind.CONVERSATION)
    return Outcome()
