"""Which conversation a message belongs to: one that goes on, one that is reopened, or a new one.

Where several matters go on in one thread, what answers a message belongs to that message's; all
else to the one in which the requester or an agent spoke last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.domain.conversation import Cause, Responder, next_responder
from core.domain.desk_choices import is_for_desk
from core.domain.events import ChoicePressed, MessagePosted
from core.domain.ids import AccountId, TicketId, new_id
from core.domain.languages import spoken
from core.domain.ticket import TicketStatus, TicketTrigger, next_status
from core.services.intake.order import Place
from core.services.intake.records import Records
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.tables import Conversation, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRules:
    """Settings that decide where a message belongs."""

    reopen_window: timedelta
    default_language: str


def spam_conversation(
    event: MessagePosted | ChoicePressed, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Conversation | None:
    """Return where to keep `event` as spam, which nobody is told of; None where it is none.

    A matter that somebody works on goes on, whoever is blocked; so does another person's.
    """
    author = (event.account, str(event.author.address))
    current = talked_in(event, records)
    is_marked = isinstance(event, MessagePosted) and event.is_spam and current is None
    if not is_marked and author not in records.blocked:
        return None
    if current is None:
        current = start_conversation(event, None, records, ledger, rules)
    elif (
        not _is_with(author, current, records)
        or _is_merged(current, records)
        or current.id in records.tickets
    ):
        return None
    _end_merge(current, records)
    current.is_spam = True
    current.responder = Responder.CLOSED
    current.closed_at = ledger.now
    return current


def _is_with(author: Place, current: Conversation, records: Records) -> bool:
    """Say whether `author` is the requester of `current`.

    Whose contact is being merged is known by their address: the conversation may be with another
    contact by now than the one they were found to be.
    """
    if current.address is not None and (AccountId(current.account_id), current.address) == author:
        return True
    return records.contacts.get(author) == current.contact_id


def conversation_for(
    event: MessagePosted | ChoicePressed, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Conversation:
    """Return the conversation that `event` belongs to, reopened or started as needed."""
    current = talked_in(event, records)
    if current is None:
        return start_conversation(event, None, records, ledger, rules)
    if _is_merged(current, records):
        assert current.merged_into is not None
        _goes_on(records.by_id[current.merged_into], records, ledger)
        return current
    _end_merge(current, records)
    if _goes_on(current, records, ledger):
        return current
    current.is_spam = False  # its sender is not blocked, or is no more
    if (
        _reopens_always(current, ledger)
        or ledger.now - (current.closed_at or current.last_message_at) <= rules.reopen_window
    ):
        begin_episode(current, next_responder(Responder.CLOSED, Cause.CUSTOMER_RETURNED))
    else:
        last = records.conversations[event.account, str(event.thread)]
        return start_conversation(event, last, records, ledger, rules)
    current.closed_at = None
    ledger.changed(current, FeedKind.CONVERSATION)
    return current


def talked_in(event: MessagePosted | ChoicePressed, records: Records) -> Conversation | None:
    """Return which of the conversations in its thread `event` belongs to; None: there is none.

    A button belongs where it stands as long as something goes on there.
    """
    there = records.in_thread((event.account, str(event.thread)))
    if len(there) < 2:
        return there[0] if there else None
    going_on = [one for one in there if _is_merged(one, records) or _has_matter(one, records)]
    if isinstance(event, ChoicePressed) and (choice := records.choices.get(event.choice)):
        home = next((one for one in there if one.id == choice.conversation_id), None)
        # What the desk answers itself begins nothing; another old button must not, while something
        # goes on beside it.
        if home and (is_for_desk(choice.intent) or home in going_on or not going_on):
            return home
    answers = event.answers if isinstance(event, MessagePosted) else None
    known = records.messages.get((event.account, str(answers)))
    if known is not None and known.conversation in going_on:
        return known.conversation
    return max(going_on, key=lambda one: one.talked_seq, default=there[0])


def _is_merged(current: Conversation, records: Records) -> bool:
    """Say whether what is said in `current` still belongs to the ticket it was merged into."""
    if current.merged_into is None or records.above[current.id] is None:
        return False
    main = records.by_id[current.merged_into]
    return main.responder != Responder.BOT and _has_matter(main, records)


def _end_merge(current: Conversation, records: Records) -> None:
    if current.merged_into is not None:
        records.lapsed.append((current.id, current.last_seq))
        current.merged_into = None


def _has_matter(current: Conversation, records: Records) -> bool:
    """Say whether `current` is about something that goes on; its ticket may wait or be solved."""
    if current.responder != Responder.CLOSED:
        return True
    ticket = records.tickets.get(current.id)
    return ticket is not None and _ended_with(ticket, current)


def _goes_on(current: Conversation, records: Records, ledger: Ledger) -> bool:
    """Go on with the matter of `current`, if there is one."""
    if not _has_matter(current, records):
        return False
    ticket = records.tickets.get(current.id)
    if ticket is not None:
        _move_ticket(ticket, TicketTrigger.CUSTOMER_WROTE, current, ledger)
    if ticket is None or current.responder != Responder.CLOSED:
        return True
    current.responder = next_responder(Responder.CLOSED, Cause.TICKET_REOPENED)
    if ticket.assignee_id is not None:
        current.responder = next_responder(current.responder, Cause.AGENT_TOOK)
    current.closed_at = None
    ledger.changed(current, FeedKind.CONVERSATION)
    return True


def _reopens_always(conversation: Conversation, ledger: Ledger) -> bool:
    capabilities = ledger.can(conversation.account_id)
    return capabilities is not None and capabilities.reopens_always


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


def start_conversation(
    event: MessagePosted | ChoicePressed,
    previous: Conversation | None,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
) -> Conversation:
    last_seq, last_order = 0, None
    counter = None
    if previous is not None:
        others = records.siblings.pop((event.account, str(event.thread)), [])
        counter = previous.counter or (previous if others else None)
        last_seq = previous.greatest_seq
        last_order = max((one.last_order or "" for one in (previous, *others)), default="") or None
        assert not any(_has_matter(one, records) for one in (previous, *others))
        previous.is_current = False
        for other in others:
            other.is_beside = False
    language, is_chosen = _language(event, previous, records, rules)
    conversation = Conversation(
        id=new_id(),
        account_id=event.account,
        thread=event.thread,
        is_current=True,
        counter=counter,
        contact_id=records.contacts[event.account, event.author.address],
        address=event.author.address,
        responder=Responder.BOT,
        episode=1,
        episode_first_seq=last_seq + 1,
        first_seq=last_seq + 1,
        last_seq=last_seq,
        last_order=last_order,
        language=language,
        language_is_chosen=is_chosen,
        created_at=ledger.now,
        last_message_at=ledger.now,
    )
    records.conversations[event.account, event.thread] = conversation
    records.started.append(conversation)
    ledger.changed(conversation, FeedKind.CONVERSATION)
    return conversation


def _language(
    event: MessagePosted | ChoicePressed,
    previous: Conversation | None,
    records: Records,
    rules: ArrivalRules,
) -> tuple[str, bool]:
    """Return in which language a conversation begins, and whether somebody chose it.

    What a contact chose or wrote in counts for more than what a platform says: an app in English is
    no wish to be answered in English.
    """
    author = (event.account, str(event.author.address))
    known, before = records.languages.get(author), previous.language if previous else None
    is_chosen = author in records.chosen
    if not is_chosen and previous is not None and previous.language_is_chosen:
        known, is_chosen = before, True  # it was asked for in this very place
    language = spoken(known, event.author.language, before, default=rules.default_language)
    return language, is_chosen and language == known


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
