"""What requesters may read again: their threads, and their tickets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.domain.assistant import TicketBrief
from core.domain.content import Choice
from core.domain.conversation import Speaker
from core.domain.ids import AccountId, Address, ChoiceId, MessageId, ThreadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptFile:
    """A file of a message that the requester may see."""

    id: UUID
    name: str
    media_type: str  # what its content shows
    size_bytes: int
    is_ready: bool = True  # or it is still being looked at, and cannot be opened


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
        """Return one of the thread's files, and its bytes, piece by piece.

        Raises:
            NotFound: there is none of that id in this thread.
        """

    def watch(
        self, account: AccountId, thread: ThreadKey
    ) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Yield once whenever the thread may have something new, until the context ends.

        Subscribed when the context is entered: read `since` after entering, not before.
        """


class RequesterTickets(Protocol):
    """What a requester may know of their own tickets, for channels that show them."""

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        """Return the tickets of the person with this address, latest first."""
