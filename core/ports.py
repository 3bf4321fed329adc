"""What the core needs from the outside, as promises that adapters and channels keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from uuid import UUID

from core.domain.account import Health
from core.domain.assistant import TicketBrief, TurnReply, TurnRequest
from core.domain.channel import Capabilities, Outbound, Receipt
from core.domain.content import Choice, Envelope, FileRef
from core.domain.conversation import Speaker
from core.domain.events import Event
from core.domain.grounding import Passage
from core.domain.ids import (
    AccountId,
    Address,
    ChoiceId,
    EventKey,
    MessageId,
    RemoteId,
    ThreadKey,
)
from core.domain.models import Lessons, ServingModel, Training

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.routing import BaseRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a poller has read; `name` tells several cursors of an account apart."""

    account: AccountId
    name: str
    value: str


class Refusal(StrEnum):
    """Why an event changed nothing."""

    UNKNOWN_CHOICE = "unknown_choice"
    UNKNOWN_MESSAGE = "unknown_message"
    UNKNOWN_THREAD = "unknown_thread"
    ALREADY_CHOSEN = "already_chosen"
    THREAD_TAKEN = "thread_taken"
    AUTOMATIC = "automatic"  # from a machine, in no thread that is known; the payload is kept
    UNKNOWN_PERSON = "unknown_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What became of one event. For a redelivery, the same as the first time.

    An edit, a removal or a reaction that comes before its message is kept until the message
    comes: neither a refusal nor a message.
    """

    key: EventKey
    is_new: bool
    message: MessageId | None = None
    seq: int | None = None  # of the message in its conversation
    refusal: Refusal | None = None


class Inbox(Protocol):
    """Where channels put what they received."""

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        """Store `events` and, in the same transaction, the new `cursor`.

        Returns only after the commit: acknowledge to the platform after this, never before.
        Events whose key is known are dropped, so a redelivery is safe. One acceptance per
        event, in order.

        Raises:
            StorageUnavailable: nothing was stored; do not acknowledge.
            InvalidInput: one of the events can never be stored; nothing of this call was.
        """

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        """Keep a payload that could not be understood, for an admin to see and replay."""

    async def cursor(self, account: AccountId, name: str) -> str | None:
        """Return the value committed last under `name`, or None."""

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        """Return the threads of those of these messages that the account knows."""

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        """Say whether a conversation was ever held in `thread`."""

    async def report(self, account: AccountId, health: Health) -> None:
        """Let admins see how the account is doing. Cheap where nothing changed."""


@runtime_checkable
class KnowsChoices(Protocol):
    """An inbox that can be asked what was offered, by channels where people answer in words."""

    async def choices_of(self, account: AccountId, message: MessageId) -> Sequence[Choice]:
        """Return the choices under a message of ours, as they were shown; none where unknown."""


@runtime_checkable
class Channel(Protocol):
    """The whole mandatory surface of a channel; one instance serves one account."""

    account: AccountId
    capabilities: Capabilities

    async def receive(self, inbox: Inbox) -> None:
        """Feed `inbox` until cancelled; reconnect by itself.

        A channel that only answers requests returns at once.
        """

    async def deliver(self, message: Outbound) -> Receipt:
        """Make one attempt to send `message`.

        Raises:
            DeliveryError: its subclass says what happens next.
        """


@runtime_checkable
class HandlesRequests(Protocol):
    """A channel with web pages or webhooks of its own."""

    def routes(self, inbox: Inbox, transcript: Transcript) -> Sequence[BaseRoute]:
        """Return the routes to serve; paths are absolute.

        Handlers raise `DeskError`s; the application answers them as problem documents.
        """


@runtime_checkable
class ReadsPayloads(Protocol):
    """A channel whose raw payloads can be read again, once its parser has learned their shape."""

    def read(self, raw: bytes) -> Sequence[Event]:
        """Return what a payload from quarantine says.

        Raises:
            UnknownPayload: it is not understood yet.
            IgnoredPayload: it says nothing to us.
        """


@runtime_checkable
class FindsDeliveries(Protocol):
    """A channel that can tell whether a message arrived."""

    async def find_delivery(self, message: Outbound) -> Receipt | None:
        """Return the receipt of an earlier send of `message`, or None if there was none."""


@runtime_checkable
class EditsMessages(Protocol):
    """A channel whose sent messages can be changed."""

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        """Replace what `receipt` names by `message`."""


@runtime_checkable
class RemovesMessages(Protocol):
    """A channel whose sent messages can be taken back."""

    async def remove(self, thread: ThreadKey, receipt: Receipt) -> None:
        """Take back what `receipt` names."""


@runtime_checkable
class ShowsTyping(Protocol):
    """A channel that can show that an answer is being written."""

    async def show_typing(self, thread: ThreadKey) -> None:
        """Show the sign for a few seconds."""


@runtime_checkable
class FetchesFiles(Protocol):
    """A channel whose files are fetched apart from their message."""

    def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """Yield the bytes of `file`, piece by piece; the caller may stop at any piece.

        Raises:
            DeliveryError: as for sends; `Rejected` where the platform will never give it, and
                `FileTooLarge` where that is for its size.
        """


@runtime_checkable
class LooksUpPeople(Protocol):
    """A channel that knows more about a person than their messages tell."""

    async def look_up(self, address: Address) -> tuple[str | None, str | None]:
        """Return the name and the verified e-mail address of `address`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """An agent as a platform knows them."""

    address: Address
    name: str


@runtime_checkable
class TellsColleagues(Protocol):
    """A channel on which the desk can write to its own agents, apart from any conversation."""

    async def find_colleague(self, email: str) -> Colleague | None:
        """Return the person whose address the platform has verified to be `email`, if any.

        Raises:
            DeliveryError: it cannot be found out.
        """

    async def tell(
        self, whom: Address, notice: MessageId, words: str, *, may_have_left: bool
    ) -> None:
        """Write `words` to a colleague; where an earlier attempt arrived after all, do nothing.

        Raises:
            DeliveryError: its subclass says what happens next.
        """


@runtime_checkable
class LinksThreads(Protocol):
    """A channel whose threads can be opened on the platform by a link."""

    def link(self, thread: ThreadKey) -> str | None:
        """Return the address that opens `thread`, or None where this one has none."""


@runtime_checkable
class KnowsPrivacy(Protocol):
    """A channel that can tell which of its threads one person alone reads."""

    def is_private(self, thread: ThreadKey) -> bool:
        """Say whether nobody but one person and the desk reads `thread`."""


@runtime_checkable
class SendsLetters(Protocol):
    """A channel whose messages are letters: each is addressed, and has a subject.

    All of it is pure: nothing is asked of anybody.
    """

    def checked(self, envelope: Envelope) -> Envelope:
        """Return `envelope` as it can be sent: the desk itself left out, each person once.

        Raises:
            WrongAddress: no letter can go to one of the addresses.
        """

    def subject_of_reply(self, subject: str | None, language: str) -> str:
        """Return the subject of an answer in a conversation about `subject`."""

    def is_same_subject(self, one: str, other: str) -> bool:
        """Say whether two subjects differ only by the marks of answers and forwarded letters."""

    def begin_thread(self, seed: UUID) -> ThreadKey:
        """Return the key of a thread that nobody has written in yet; the same for one `seed`."""


def capabilities_of(channel: Channel) -> Capabilities:
    """Return what `channel` can do, what its optional protocols say included."""
    return replace(
        channel.capabilities,
        letters=isinstance(channel, SendsLetters),
        edits=isinstance(channel, EditsMessages),
        removes=isinstance(channel, RemovesMessages),
        looks_up_people=isinstance(channel, LooksUpPeople),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptFile:
    """A file that an agent sent."""

    id: UUID
    name: str
    media_type: str  # what its content shows
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEntry:
    """One message as the requester may see it."""

    id: MessageId
    seq: int  # increases along a thread; gaps are messages that are not for the requester
    speaker: Speaker
    speaker_name: str | None
    text: str
    choices: tuple[Choice, ...]
    chosen: ChoiceId | None  # the choice already pressed under this message
    at: datetime
    files: tuple[TranscriptFile, ...] = ()


class Transcript(Protocol):
    """What a requester may read of their own thread, for channels that show it themselves."""

    async def since(
        self, account: AccountId, thread: ThreadKey, after: int, limit: int = 200
    ) -> Sequence[TranscriptEntry]:
        """Return the first `limit` public messages with a `seq` above `after`.

        They come in the platform's order, in which one that arrived late may stand before others:
        read on from the greatest `seq`, not from the last one.
        """

    async def open_file(
        self, account: AccountId, thread: ThreadKey, file: UUID
    ) -> tuple[TranscriptFile, AsyncIterator[bytes]]:
        """Return one of the thread's files that an agent sent, and its bytes, piece by piece.

        Raises:
            NotFound: there is none of that id in this thread.
        """

    def watch(
        self, account: AccountId, thread: ThreadKey
    ) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Yield once whenever the thread may have something new, until the context ends.

        Subscribed when the context is entered: read `since` after entering, not before.
        """


class Assistant(Protocol):
    """The chatbot."""

    async def reply(self, request: TurnRequest) -> TurnReply:
        """Return the reply to one turn; the same turn asked again gets the same reply.

        Raises:
            AssistantLoading: it is starting.
            AssistantFailed: it is away, too slow or broken.
        """

    async def is_ready(self) -> bool:
        """Say whether a turn would be answered now."""


class TeachableAssistant(Protocol):
    """A chatbot whose model can be trained and changed while it serves.

    Every method raises `AssistantError` where it is away or broken; each may be called again.
    """

    async def serving(self) -> ServingModel:
        """Return which model serves now, and which intents can be taught."""

    async def train(self, lessons: Lessons) -> Training:
        """Begin a training of these lessons, once, and return how far it is."""

    async def use(self, lessons: str) -> ServingModel | None:
        """Let the model of these lessons serve; None where it has to be trained first.

        Turns under way end with the model they began with; none is lost.
        """


class Embedder(Protocol):
    """Turns text into sentence vectors."""

    model: str  # names the model; vectors of different models do not compare
    dimensions: int

    async def embed_query(self, text: str) -> Sequence[float]:
        """Return the unit vector of a question.

        Raises:
            EmbedderUnavailable: search by words alone.
        """

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return the unit vectors of passages, in order.

        Raises:
            EmbedderUnavailable: try again later.
        """


class Composer(Protocol):
    """Puts what passages say into words that fit a question; a language model."""

    async def compose(
        self, question: str, *, language: str, passages: Sequence[Passage]
    ) -> str | None:
        """Return an answer that names its passages by number, [1] the first; None: they have none.

        Raises:
            ComposerUnavailable: show the best passage as it is.
        """


class LanguageDetector(Protocol):
    """Tells the language of a short text."""

    def detect(self, text: str) -> str | None:
        """Return a two-letter code, or None where the text does not say."""

    def detect_foreign(self, text: str) -> str | None:
        """Return the code of a language that the assistant does not speak, where it is certain.

        Names, codes and a quoted word or two do not make a text foreign.
        """


class BlobStore(Protocol):
    """Keeps bytes that are too large or too seldom read for the database."""

    async def put(self, key: str, content: bytes) -> None:
        """Store `content` under `key`; durable on return."""

    async def get(self, key: str) -> bytes:
        """Return what `key` holds.

        Raises:
            NotFound: nothing is stored there.
        """


class RequesterTickets(Protocol):
    """What a requester may know of their own tickets, for channels that show them."""

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        """Return the tickets of the person with this address, latest first."""


class FileStore(BlobStore, Protocol):
    """A blob store that takes and gives large files without holding them in memory."""

    async def put_file(self, key: str, path: Path) -> None:
        """Store the file at `path` under `key`; durable on return."""

    async def delete(self, key: str) -> None:
        """Delete what `key` holds; nothing is stored there afterwards, also if nothing was."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield what `key` holds, piece by piece.

        Raises:
            NotFound: nothing is stored there; before the first piece.
        """


class VirusScanner(Protocol):
    """Knows known viruses."""

    async def is_ready(self) -> bool:
        """Say whether a scan would be done now."""

    async def scan(self, path: Path) -> str | None:
        """Return the name of the virus in the file at `path`, or None.

        Raises:
            ScannerUnavailable: try again later.
            TooLarge: it takes no file of this size.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """What the desk lends a channel."""

    blobs: BlobStore  # holds the files to send
    tickets: RequesterTickets
    base_url: str  # where people reach the desk, without a slash at the end
    key: bytes  # secret of this account alone, for signatures
    default_language: str


def _nobody(settings: object) -> None:  # noqa: ARG001 - they do not tell
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelKind:
    """A kind of channel as the composition root sees it: `KIND` of each package in `channels`."""

    name: str  # "slack": in DESK_SLACK__…, in addresses, in the database
    settings: type[BaseModel]  # secrets are `SecretStr` fields
    open: Callable[[AccountId, Any, ChannelContext], Channel]  # with an instance of `settings`
    read: Callable[[AccountId, bytes], Sequence[Event]]  # as `ReadsPayloads.read`
    called_at: str | None = None
    """What follows the account in the address that admins tell the platform, if they tell it one.

    The address begins with `/channels/`, the kind's name and the account's.
    """
    identity: Callable[[Any], str | None] = _nobody
    """Whom an instance of `settings` speaks for on the platform, where that alone tells.

    What the desk remembers of an account is that one's: it can be given no other.
    """
