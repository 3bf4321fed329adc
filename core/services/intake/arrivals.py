"""What one inbound event changes, given the locked records it concerns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from core.domain.content import Caution, Choice, Intent
from core.domain.conversation import Responder
from core.domain.desk_choices import RATE, is_for_desk
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
from core.domain.ids import ChoiceId, ConversationId, MessageId, new_id
from core.domain.linking import CODE, code_in, wish_in
from core.ports import Refusal
from core.services.intake.message_changes import AboutMessage, change
from core.services.intake.placing import (
    ArrivalRules,
    conversation_for,
    spam_conversation,
    start_conversation,
    talked_in,
)
from core.services.intake.records import AboutLinking, Records
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.tables import ArticleFeedback, ChoiceRow, Conversation, Participant
from core.storage.wakeups import LaneKind

_NOT_ACTED_ON = (Caution.STRANGER, Caution.CLAIMS_AGENT)
"""Cautions with which neither the assistant nor anything else automatic acts on a message."""

_JUDGEMENTS = {"helped": True, "not_helped": False}
"""What a choice under an article says of it, by its intent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What applying an event came to."""

    message: MessageId | None = None
    seq: int | None = None
    refusal: Refusal | None = None


def apply(
    event: Event, message_id: MessageId, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Outcome:
    """Change `records` and `ledger` by `event`; the caller writes them.

    `message_id` names the message that a posting event makes.
    """
    match event:
        case MessagePosted():
            return _written(event, message_id, records, ledger, rules)
        case ChoicePressed():
            return _pressed(event, message_id, records, ledger, rules)
        case MessageEdited() | MessageRemoved() | ReactionChanged() | DeliveryReported():
            return _about_a_message(event, records, ledger)
        case ThreadMoved():
            return _moved(event, records, ledger)
        case ParticipantChanged():
            return _participant(event, records, ledger)
        case ProfileChanged():
            known = (event.account, event.author.address) in records.contacts
            return Outcome(refusal=None if known else Refusal.UNKNOWN_PERSON)
        case ReachabilityChanged():
            return _reachability(event, records, ledger)


def _about_a_message(event: AboutMessage, records: Records, ledger: Ledger) -> Outcome:
    place = (event.account, event.remote_id)
    if known := records.messages.get(place):
        change(known, event, ledger)
        if isinstance(event, DeliveryReported) and not event.is_delayed:
            records.reports.append(event)
        return Outcome(message=MessageId(known.message.id), seq=known.message.seq)
    if isinstance(event, DeliveryReported):
        return Outcome(refusal=Refusal.UNKNOWN_MESSAGE)
    if message := records.posted.get(place):
        records.changes.append((message, event))  # as soon as the message is written
    else:
        records.early.append(event)
    return Outcome()


def _catch_up(records: Records) -> None:
    """Let what came before its message in the same batch follow it."""
    early, records.early = records.early, []
    for event in early:
        if message := records.posted.get((event.account, event.remote_id)):
            records.changes.append((message, event))
        else:
            records.early.append(event)


def _written(
    event: MessagePosted, message: MessageId, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Outcome:
    """Take in what somebody wrote; a score that a letter names is an answer to its survey.

    Other choices of the desk's own, and scores of surveys that are over, are words like any other.
    A score of somebody whom nothing automatic acts on is kept, and counts for nothing.
    """
    intent, home = event.intent, None
    if intent is not None and is_for_desk(intent.name):
        there = records.in_thread((event.account, str(event.thread)))
        asked_in = records.surveys.get(intent.entities.get("survey", ""))
        home = next((one for one in there if one.id == asked_in), None)
        event = event if home and intent.name == RATE else replace(event, intent=None)
    if event.intent is None or home is None:
        return _posted(event, message, None, records, ledger, rules)
    answer = (home, event.intent)
    return _posted(event, message, None, records, ledger, rules, answers_desk=answer)


def _posted(
    event: MessagePosted | ChoicePressed,
    message: MessageId,
    pressed: Choice | None,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
    *,
    answers_desk: tuple[Conversation, Intent] | None = None,
) -> Outcome:
    """Store what somebody wrote or pressed, and see to what follows from it.

    `answers_desk` is what it answers where the desk itself asked, and where that was.
    """
    place = (event.account, str(event.thread))
    is_automatic = isinstance(event, MessagePosted) and event.is_automatic
    is_quiet = is_automatic or answers_desk is not None
    spam = spam_conversation(event, records, ledger, rules)
    link = None if spam is not None else _about_linking(event, records, ledger)
    if spam is not None:
        conversation, is_quiet = spam, True
    elif link is not None:
        assert isinstance(event, MessagePosted)
        event, is_quiet = replace(event, intent=link), True
        conversation = _conversation_to_link_in(event, link, records, ledger, rules)
    elif is_quiet:
        known = talked_in(event, records)
        if known is None:
            return Outcome(refusal=Refusal.AUTOMATIC)
        conversation = known
    else:
        conversation = conversation_for(event, records, ledger, rules)
    caution = _caution(event, conversation, records)
    seq = conversation.greatest_seq + 1
    position = float(seq)
    if tail := records.tails.get(place):
        position = tail.add(message, seq, event.order)
        ledger.put_at(tail.take_moved())
    seq = ledger.hear(
        conversation, event, message=message, position=position, pressed=pressed, caution=caution
    )
    if isinstance(event, MessagePosted):
        records.posted.update({(event.account, str(name)): message for name in event.remote_ids})
        _catch_up(records)
        if event.subject and not conversation.subject:
            conversation.subject = event.subject
        if caution not in _NOT_ACTED_ON:
            _copy_in(event, conversation, records)
    if answers_desk is not None and spam is None and caution not in _NOT_ACTED_ON:
        records.presses.append((*answers_desk, event.author.address))
    if conversation.side_of is not None and not is_automatic:
        records.beside.append(conversation)
    if not is_quiet:
        conversation.talked_seq = seq
        _respond(event, conversation, caution, records, ledger)
        home = conversation.merged_into or conversation.id
        if (ticket := records.tickets.get(home)) is not None:
            ledger.record_message(ticket, message, "customer", actor="requester")
    return Outcome(message=message, seq=seq)


def _conversation_to_link_in(
    event: MessagePosted, link: Intent, records: Records, ledger: Ledger, rules: ArrivalRules
) -> Conversation:
    """Note that `event` is about linking addresses; return the conversation that it is said in."""
    current = talked_in(event, records)
    conversation = current or start_conversation(event, None, records, ledger, rules)
    records.links.append(
        AboutLinking(
            conversation=conversation,
            who=(event.account, str(event.author.address)),
            intent=link,
            is_shared=event.is_shared,
        )
    )
    return conversation


def _caution(
    event: MessagePosted | ChoicePressed, conversation: Conversation, records: Records
) -> Caution | None:
    if event.author.address.lower() in records.agents:
        return Caution.CLAIMS_AGENT
    said = event.caution if isinstance(event, MessagePosted) else None
    is_automatic = isinstance(event, MessagePosted) and event.is_automatic
    if is_automatic or said == Caution.CLAIMS_AGENT:
        return said
    return Caution.STRANGER if _is_stranger(event, conversation, records) else said


def _respond(
    event: MessagePosted | ChoicePressed,
    conversation: Conversation,
    caution: Caution | None,
    records: Records,
    ledger: Ledger,
) -> None:
    """See that somebody answers what was just said, and that the desk knows who said it."""
    for one in records.in_thread((event.account, str(event.thread))):
        if _is_news_of_reach(one, event.at) and one.unreachable_since is not None:
            one.unreachable_since = None
            ledger.changed(one, FeedKind.CONVERSATION)
    author = (event.account, str(event.author.address))
    if author in records.to_look_up:
        records.to_look_up.remove(author)
        records.asked_for[author] = conversation.id
        ledger.wake(LaneKind.PEOPLE, conversation)
    if conversation.responder != Responder.BOT:
        return
    if caution in _NOT_ACTED_ON:
        records.unvouched.append(conversation)
    else:
        in_album = isinstance(event, MessagePosted) and event.album is not None
        ledger.want_turn(conversation, more_may_follow=in_album)


def _is_stranger(
    event: MessagePosted | ChoicePressed, conversation: Conversation, records: Records
) -> bool:
    """Say whether the author of a letter has had no part in its conversation."""
    if not isinstance(event, MessagePosted) or event.envelope is None:
        return False
    author = str(event.author.address)
    if author == conversation.address:
        return False  # also where their contact is being merged just now
    contact = records.contacts.get((event.account, author))
    return contact != conversation.contact_id and author not in records.present.get(
        conversation.id, frozenset()
    )


def _copy_in(event: MessagePosted, conversation: Conversation, records: Records) -> None:
    """Count those whom a letter also went to as participants."""
    if event.envelope is None:
        return
    others = dict.fromkeys((*event.envelope.to, *event.envelope.cc))
    known = {event.author.address, conversation.address}
    present = records.present.get(conversation.id, frozenset())
    fresh = [address for address in others if address not in known and address not in present]
    records.copied.extend(
        Participant(conversation_id=conversation.id, address=address, name=None, joined_at=event.at)
        for address in fresh
    )
    records.present[conversation.id] = present | frozenset(map(str, fresh))


def _about_linking(
    event: MessagePosted | ChoicePressed, records: Records, ledger: Ledger
) -> Intent | None:
    """Return what `event` says of linking an e-mail address, which the desk answers itself."""
    if not isinstance(event, MessagePosted) or event.is_automatic or event.intent is not None:
        return None
    if not ledger.is_chat(event.account):
        return None
    if (wish := wish_in(event.body.text)) is not None:
        return wish
    code = code_in(event.body.text)
    if code is not None and (event.account, str(event.author.address)) in records.awaited:
        return Intent(name=CODE, entities={"code": code})
    return None


def _pressed(
    event: ChoicePressed,
    message: MessageId,
    records: Records,
    ledger: Ledger,
    rules: ArrivalRules,
) -> Outcome:
    choice = records.choices.get(event.choice)
    there = records.in_thread((event.account, str(event.thread)))
    if choice is None or all(one.id != choice.conversation_id for one in there):
        return Outcome(refusal=Refusal.UNKNOWN_CHOICE)
    if choice.message_id in records.pressed:
        return Outcome(refusal=Refusal.ALREADY_CHOSEN)
    records.pressed.add(choice.message_id)
    pressed = Choice(
        id=ChoiceId(choice.id),
        label=choice.label,
        intent=Intent(name=choice.intent, entities=choice.entities),
    )
    answer = None
    if is_for_desk(choice.intent):
        answer = (records.by_id[choice.conversation_id], pressed.intent)
    outcome = _posted(event, message, pressed, records, ledger, rules, answers_desk=answer)
    _judge_article(choice, event, records)
    return outcome


def _judge_article(choice: ChoiceRow, event: ChoicePressed, records: Records) -> None:
    """Keep whether an article helped, where that is what was asked.

    With the choice and not with the turn that follows it: a turn may be dropped, or never come
    because a human has the conversation.
    """
    article = choice.entities.get("article_id")
    if choice.intent in _JUDGEMENTS and article:
        records.feedback.append(
            ArticleFeedback(
                id=new_id(),
                article_id=article,
                conversation_id=choice.conversation_id,
                helped=_JUDGEMENTS[choice.intent],
                at=event.at,
            )
        )


def _moved(event: ThreadMoved, records: Records, ledger: Ledger) -> Outcome:
    conversation = records.conversations.get((event.account, event.thread))
    if conversation is None:
        return Outcome(refusal=Refusal.UNKNOWN_THREAD)
    place = (event.account, event.new_thread)
    if place in records.taken_threads or place in records.conversations:
        return Outcome(refusal=Refusal.THREAD_TAKEN)
    del records.conversations[event.account, event.thread]
    siblings = records.siblings.pop((event.account, event.thread), [])
    records.conversations[place] = conversation
    for one in siblings:
        one.thread = event.new_thread
    if siblings:
        records.siblings[place] = siblings
    conversation.thread = event.new_thread
    ledger.changed(conversation, FeedKind.CONVERSATION)
    return Outcome()


def _participant(event: ParticipantChanged, records: Records, ledger: Ledger) -> Outcome:
    there = records.in_thread((event.account, event.thread))
    for conversation in there:
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
    return Outcome(refusal=None if there else Refusal.UNKNOWN_THREAD)


def _reachability(event: ReachabilityChanged, records: Records, ledger: Ledger) -> Outcome:
    there = records.in_thread((event.account, event.thread))
    for conversation in there:
        if not _is_news_of_reach(conversation, event.at):
            continue
        conversation.unreachable_since = None if event.reachable else event.at
        if not event.reachable:
            reason = event.detail or "the requester does not let the account write any more"
            records.unreachable.append((conversation, reason))
        ledger.changed(conversation, FeedKind.CONVERSATION)
    return Outcome(refusal=None if there else Refusal.UNKNOWN_THREAD)


def _is_news_of_reach(conversation: Conversation, at: datetime) -> bool:
    """Say whether what tells at `at` that somebody can be reached, or not, is the latest to tell.

    Blocking, unblocking and writing may be heard of in any order. Of one moment the last counts.
    """
    known = conversation.reach_known_at
    if known is not None and at < known:
        return False
    conversation.reach_known_at = at
    return True
