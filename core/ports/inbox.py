"""Where channels bring what they received."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from core.domain.account import Health
from core.domain.content import Choice
from core.domain.events import Event
from core.domain.ids import AccountId, EventKey, MessageId, RemoteId, ThreadKey


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
        """Keep a payload that could not be understood, for an admin to see and replay.

        Returns only after the commit. What is there already and waits for an admin is kept once:
        platforms send again what was not acknowledged.
        """

    async def cursor(self, account: AccountId, name: str) -> str | None:
        """Return the value committed last under `name`, or None."""

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        """Return the threads of those of these messages that the account knows."""

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        """Say whether a conversation was ever held in `thread`."""

    async def set_aside(self, account: AccountId, subject: str, key: str, raw: bytes) -> None:
        """Keep a payload that is not meant for the desk, and may turn out to be.

        `subject` names what it is a part of, `key` the payload: one that is kept already is left
        as it is. Returns only after the commit. Forgotten by itself some minutes later.
        """

    async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
        """Return what is set aside of `subject`, in the order in which it came."""

    async def report(self, account: AccountId, health: Health) -> None:
        """Let admins see how the account is doing. Cheap where nothing changed."""


@runtime_checkable
class KnowsChoices(Protocol):
    """An inbox that can be asked what was offered, by channels where people answer in words."""

    async def choices_of(self, account: AccountId, message: MessageId) -> Sequence[Choice]:
        """Return the choices under a message of ours, as they were shown; none where unknown."""
