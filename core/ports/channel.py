"""A channel: what all of them do, and what some can do besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from uuid import UUID

from core.domain.channel import Capabilities, InPart, Outbound, Receipt
from core.domain.content import Envelope, FileRef
from core.domain.events import Author, Event
from core.domain.ids import AccountId, Address, MessageId, ThreadKey
from core.ports.files import BlobStore
from core.ports.inbox import Inbox
from core.ports.transcript import RequesterTickets, Transcript

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.routing import BaseRoute


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

    async def find_delivery(self, message: Outbound) -> Receipt | InPart | None:
        """Return the receipt of an earlier send of `message`, or None if there was none.

        `InPart`: that broke off between its parts. `deliver` of the same channel sends the others.
        """


@runtime_checkable
class EditsMessages(Protocol):
    """A channel whose sent messages can be changed."""

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        """Replace what `receipt` names by `message`.

        It is tried again with the same `receipt` where its end is not known, as
        `Outbound.may_have_left` says then: what it adds must not be there twice.
        """


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

    async def look_up(self, address: Address) -> Author:
        """Return what the platform says of `address`."""


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

    async def colleague_called(self, name: str) -> Colleague | None:
        """Return the person whom the platform shows this name of: a member's id; None if nobody.

        That somebody enters it proves nothing: they have to read what is written there.

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
