"""What platforms say about messages that are known: edits, removals, reactions, deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.domain.addresses import comparable
from core.domain.channel import DeliveryState, RecipientOutcome
from core.domain.content import FileRef
from core.domain.events import DeliveryReported, MessageEdited, MessageRemoved, ReactionChanged
from core.domain.ids import Address, MessageId
from core.services.delivery.reopening import reopen
from core.services.ledger import Ledger
from core.storage.feed import FeedKind
from core.storage.tables import Attachment, Conversation, Message, Ticket

AboutMessage = MessageEdited | MessageRemoved | ReactionChanged | DeliveryReported


@dataclass(slots=True, kw_only=True)
class Known:
    """A message that an event is about, with what goes with it; its conversation is locked."""

    message: Message
    conversation: Conversation
    ticket: Ticket | None  # the unclosed one
    attachments: Sequence[Attachment] = ()
    merged_into: Conversation | None = None  # whose ticket it is then
    sent_to: Collection[str] = ()  # of one that a report is about: the addresses it was for

    def recipient_of(self, report: DeliveryReported) -> Address | None:
        """Return whom of those that the message was for `report` is about; None: not surely one.

        A report is a mail as any other: it says nothing of people whom the message did not go to.
        """
        if report.recipient is None:
            return Address(*self.sent_to) if len(self.sent_to) == 1 else None
        named = comparable(report.recipient)
        return next((Address(one) for one in self.sent_to if comparable(one) == named), None)


def change(known: Known, event: AboutMessage, ledger: Ledger) -> None:
    """Change `known` by `event`."""
    message = known.message
    match event:
        case MessageEdited():
            _edit(known, event, ledger)
        case MessageRemoved():
            message.removed_at = event.at
            ledger.forget(MessageId(message.id))
        case ReactionChanged():
            message.reactions = _reacted(message.reactions, event)
        case DeliveryReported() if event.is_delayed:
            _delay(known, event)
        case DeliveryReported():
            who = known.recipient_of(event)
            is_stranger = event.recipient is not None and who is None
            if event.recipient is not None and who is not None:
                message.reported = {**message.reported, who: _reported(event)}
            if not event.delivered:
                message.delivery = DeliveryState.FAILED
                # A forwarded letter comes back from an address that it was not sent to.
                detail = f"{event.recipient}: {event.detail}" if is_stranger else event.detail
                message.delivery_detail = detail or None
                home = known.merged_into or known.conversation
                reopen(known.ticket, home, message, ledger)
            elif event.recipient is None or message.delivery != DeliveryState.FAILED:
                # That one of several has it does not mend that another has not.
                message.delivery = DeliveryState.SENT
                message.delivery_detail = event.detail or None
    ledger.changed(known.conversation, FeedKind.MESSAGE)


def _delay(known: Known, event: DeliveryReported) -> None:
    """Show for whom the message is still on its way, where nothing was heard since."""
    who, message = known.recipient_of(event), known.message
    if who is not None and who not in message.reported:
        report = {"outcome": RecipientOutcome.DELAYED, "detail": event.detail}
        message.reported = {**message.reported, who: report}


def _reported(event: DeliveryReported) -> dict[str, str]:
    outcome = RecipientOutcome.DELIVERED
    if not event.delivered:
        outcome = RecipientOutcome.HARD if event.is_permanent else RecipientOutcome.SOFT
    return {"outcome": outcome, "detail": event.detail}


def _edit(known: Known, event: MessageEdited, ledger: Ledger) -> None:
    message, body = known.message, event.body
    if message.edited_at is not None and event.at < message.edited_at:
        # Overtaken by a later edit: it belongs to the history alone.
        ledger.keep_revision(message, body)
        return
    ledger.keep_revision(message)
    message.text, message.html = body.text, body.html
    message.quoted, message.signature = body.quoted, body.signature
    message.unsupported = list(body.unsupported)
    message.edited_at = event.at
    present = [row for row in known.attachments if row.removed_at is None]
    gone = list(present)
    added = []
    for file in body.files:
        same = next((row for row in gone if _is_same(row, file)), None)
        if same is None:
            added.append(file)
        else:
            gone.remove(same)
    for row in gone:
        row.removed_at = event.at
    first = max((row.position for row in known.attachments), default=-1) + 1
    ledger.attach(known.conversation, MessageId(message.id), added, first=first)


def _is_same(row: Attachment, file: FileRef) -> bool:
    """Say whether an edited message has kept a file; some platforms name it anew each time."""
    looks = (row.name, row.media_type, row.size_bytes) == (
        file.name,
        file.media_type,
        file.size_bytes,
    )
    return row.remote == file.remote or (looks and file.size_bytes is not None)


def _reacted(reactions: Mapping[str, list[str]], event: ReactionChanged) -> dict[str, list[str]]:
    """Return `reactions`, a list of addresses by reaction, after `event`."""
    people = {name: list(addresses) for name, addresses in reactions.items()}
    who = [a for a in people.get(event.reaction, []) if a != event.author.address]
    if event.added:
        who.append(event.author.address)
    people[event.reaction] = who
    return {name: addresses for name, addresses in people.items() if addresses}
