"""What happens on a platform, as a closed union of facts in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.domain.content import Body, Caution, Envelope, Intent
from core.domain.ids import AccountId, Address, ChoiceId, EventKey, RemoteId, ThreadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The person behind an event, as far as the platform tells."""

    address: Address
    name: str | None = None
    email: str | None = None  # only where the platform vouches for it
    language: str | None = None  # two-letter code that the platform or page reports


@dataclass(frozen=True, slots=True, kw_only=True)
class _Occurrence:
    account: AccountId
    key: EventKey
    thread: ThreadKey
    author: Author
    at: datetime  # with time zone, by the platform's clock
    order: str = ""  # sorts the messages of a thread, as strings; empty where they come in order
    raw: bytes = b""  # the payload as it came


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted(_Occurrence):
    """Somebody said something."""

    body: Body
    remote_ids: tuple[RemoteId, ...] = ()
    subject: str | None = None
    intent: Intent | None = None  # what a command says outright
    album: str | None = None  # names messages that make one turn; more of them may follow
    envelope: Envelope | None = None
    caution: Caution | None = None
    forwarded_from: Author | None = None  # who wrote it first, as whoever passed it on says
    is_automatic: bool = False  # from a machine: kept in a known thread, starts nothing
    answers: RemoteId | None = None  # the message that it was written in reply to
    is_spam: bool = False  # as the platform says: in an unknown thread it is kept as spam
    is_shared: bool = False  # in a thread that others read: nothing private is said there


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(_Occurrence):
    """A message was changed; the earlier text stays as a revision."""

    remote_id: RemoteId
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRemoved(_Occurrence):
    """A message was taken back; it stays in the record, marked."""

    remote_id: RemoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged(_Occurrence):
    """A reaction was put on a message or taken off."""

    remote_id: RemoteId
    reaction: str
    added: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePressed(_Occurrence):
    """A button under one of our messages was pressed."""

    choice: ChoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMoved(_Occurrence):
    """The place a conversation lives in has a new name."""

    new_thread: ThreadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantChanged(_Occurrence):
    """Somebody joined a thread or left it."""

    participant: Author
    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReported(_Occurrence):
    """The platform says what became of a message of ours after it took it."""

    remote_id: RemoteId
    delivered: bool
    detail: str = ""
    recipient: Address | None = None  # whom it did not reach, where the platform tells
    is_permanent: bool = True
    is_delayed: bool = False  # it did not arrive yet, and is still on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(_Occurrence):
    """The author's name, e-mail address or language is another now; `thread` is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachabilityChanged(_Occurrence):
    """The author blocked the account in this thread, or lets it write again."""

    reachable: bool
    detail: str = ""


Event = (
    MessagePosted
    | MessageEdited
    | MessageRemoved
    | ReactionChanged
    | ChoicePressed
    | ThreadMoved
    | ParticipantChanged
    | DeliveryReported
    | ProfileChanged
    | ReachabilityChanged
)
