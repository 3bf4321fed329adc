"""What a channel can do, what it is asked to send and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.content import Body, Choice, Envelope
from core.domain.conversation import Speaker
from core.domain.ids import AccountId, Address, ConversationId, MessageId, RemoteId, ThreadKey


class UncertainPolicy(StrEnum):
    """What the outbox does with a send that may have happened and cannot be verified."""

    RESEND = "resend"
    PARK = "park"  # an agent decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do, as data."""

    reads_store: bool = False  # people read the conversation from the desk: a commit delivers
    polls: bool = False  # `receive` asks the platform for news: one process per account does it
    reopens_always: bool = False  # a message in an old thread never starts a new conversation
    max_text_chars: int | None = None
    max_files: int = 0
    max_file_bytes: int = 0
    threads: bool = False
    joins_turn: bool = False  # what the assistant says in one turn goes out as one message
    max_turns: int | None = None  # the assistant's, before a human; None: as the desk has it
    answers_per_hour: int | None = None  # machine-made messages to one person; None: no limit
    unread: bool = False  # of programs, or of people spoken to elsewhere: nobody reads it
    quotes: bool = False  # wants the requester's last words in `Outbound.body.quoted`
    replies_to_all: bool = False  # letters of agents go to all in the thread, unless they say
    letters: bool = False  # see `core.ports.capabilities_of` for these four
    edits: bool = False
    removes: bool = False
    looks_up_people: bool = False
    when_uncertain: UncertainPolicy = UncertainPolicy.PARK


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message to send."""

    message: MessageId
    account: AccountId
    conversation: ConversationId
    thread: ThreadKey
    speaker: Speaker
    body: Body
    choices: tuple[Choice, ...] = ()
    language: str = "en"
    speaker_name: str | None = None  # of an agent, as requesters see it
    speaker_picture: str | None = None  # https address, where there is one
    requester: Address | None = None
    participants: tuple[Address, ...] = ()  # who else is in the thread, earliest first
    subject: str | None = None  # of the conversation, where it has one
    answers: RemoteId | None = None  # the requester's last message, by the platform's name
    thread_ids: tuple[RemoteId, ...] = ()  # the thread's latest messages, oldest first, 20 at most
    is_beside: bool = False  # of one of several matters in the thread: show what it answers
    envelope: Envelope | None = None  # as the agent addressed it; else the channel's own way
    only_to: tuple[Address, ...] = ()  # the rest has it already; none: it is for all
    may_have_left: bool = False  # a change of which an earlier attempt ended without a word


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """One of several recipients who was not taken, though others were."""

    address: Address
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The platform has the message. Albums and long texts split: hence several ids."""

    remote_ids: tuple[RemoteId, ...]
    detail: str = ""  # what an agent has to know though it was sent
    put_off: tuple[NotTaken, ...] = ()  # for now: whom the others did not wait for
    refused: tuple[NotTaken, ...] = ()  # for good


@dataclass(frozen=True, slots=True, kw_only=True)
class InPart:
    """The platform has some parts of a message: where it is sent now, the rest follows them."""

    remote_ids: tuple[RemoteId, ...]  # of the parts that are there


class DeliveryAction(StrEnum):
    """What is done with a message on the platform."""

    SEND = "send"
    REST = "rest"  # sent to those who took nothing when the others got it
    EDIT = "edit"
    REMOVE = "remove"


class RecipientOutcome(StrEnum):
    """What became of a message for one of several recipients."""

    DELIVERED = "delivered"
    SOFT = "soft"  # refused for now: it may work later
    HARD = "hard"  # refused for good
    WAITING = "waiting"  # not taken yet: tried again without those who have it
    REFUSED = "refused"  # not taken, and not tried again
    DELAYED = "delayed"  # taken, and still on its way further on


class DeliveryState(StrEnum):
    """What became of a message that somebody is to receive."""

    NOT_SENT = "not_sent"  # nothing to send: inbound, or an internal note
    WAITING = "waiting"
    SENDING = "sending"  # a send has begun and its outcome is not known yet
    SENT = "sent"
    FAILED = "failed"
    PARKED = "parked"  # may have been sent; an agent decides
    DROPPED = "dropped"  # it never left; `HeldBack` says why


class Verdict(StrEnum):
    """What an agent decides of a message that may have been sent."""

    RESEND = "resend"
    ARRIVED = "arrived"
    NEVER = "never"  # it did not arrive, and is not wanted any more


class HeldBack(StrEnum):
    """Why a message, or the rest of it, never left: the detail of `DROPPED`, or of `SENT`."""

    TAKEN_OVER = "taken_over"  # of the assistant: a human was first
    OVERTAKEN = "overtaken"  # it announced an answer that has been given
    TOO_MANY = "too_many"  # its person had so many machine-made messages that its day was over
    REST = "rest"  # its first parts had left when it was not wanted any more


class Shortfall(StrEnum):
    """What an agent has to know of a message though it was sent: the detail of `SENT`."""

    CHANGE_IN_DOUBT = "change_in_doubt"  # its change may not be there whole, and is not made again
