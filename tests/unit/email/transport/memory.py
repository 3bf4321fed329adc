"""An inbox and a blob store kept in memory, for tests of the mail channel without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from core.domain.account import Health
from core.domain.errors import InvalidInput, NotFound, StorageUnavailable
from core.domain.events import DeliveryReported, Event, MessagePosted
from core.domain.ids import AccountId, EventKey, RemoteId, ThreadKey
from core.ports import Acceptance, ChannelContext, Cursor
from tests.support.no_tickets import NoTickets
from tests.support.nothing_aside import NothingAside

KEY = b"a key that only this test knows"


class MemoryBlobs:
    """Keeps the promises of `BlobStore` for one process."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.is_away = False

    async def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    async def get(self, key: str) -> bytes:
        if self.is_away:
            raise StorageUnavailable("the blob store cannot be read")
        if key not in self.kept:
            raise NotFound(key)
        return self.kept[key]


class MemoryInbox(NothingAside):
    """Keeps the promises of `Inbox` for one process."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.asides: list[tuple[bytes, str]] = []
        self.cursors: dict[str, str] = {}
        self.health: list[Health] = []
        self.is_away = False
        self.may_store = asyncio.Event()
        self.may_store.set()
        self.batches: list[int] = []  # how many events came in each transaction
        self.refused: set[str] = set()  # texts that can never be stored
        self._keys: set[EventKey] = set()
        self._threads: dict[RemoteId, ThreadKey] = {}

    @property
    def posted(self) -> list[MessagePosted]:
        return [event for event in self.events if isinstance(event, MessagePosted)]

    @property
    def reports(self) -> list[DeliveryReported]:
        return [event for event in self.events if isinstance(event, DeliveryReported)]

    @property
    def texts(self) -> list[str]:
        return [event.body.text for event in self.posted]

    def _check(self) -> None:
        if self.is_away:
            raise StorageUnavailable

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        self.batches.append(len(events))
        await self.may_store.wait()
        self._check()
        for event in events:
            if isinstance(event, MessagePosted) and event.body.text in self.refused:
                raise InvalidInput("this can never be stored")
        acceptances = []
        for event in events:
            is_new = event.key not in self._keys
            self._keys.add(event.key)
            if is_new:
                self.events.append(event)
                if isinstance(event, MessagePosted):
                    for name in event.remote_ids:
                        self._threads.setdefault(name, event.thread)
            acceptances.append(Acceptance(key=event.key, is_new=is_new))
        if cursor is not None:
            self.cursors[cursor.name] = cursor.value
        return tuple(acceptances)

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        self._check()
        self.asides.append((raw, reason))

    async def cursor(self, account: AccountId, name: str) -> str | None:
        self._check()
        return self.cursors.get(name)

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        self._check()
        return {name: self._threads[name] for name in remote_ids if name in self._threads}

    def moves(self, name: RemoteId, thread: ThreadKey) -> None:
        """Let a message be in another thread by now."""
        self._threads[name] = thread

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        self._check()
        return thread in self._threads.values()

    async def report(self, account: AccountId, health: Health) -> None:
        self._check()
        self.health.append(health)


def context(blobs: MemoryBlobs | None = None, key: bytes = KEY) -> ChannelContext:
    """Return what a desk without a database lends a channel."""
    return ChannelContext(
        blobs=blobs or MemoryBlobs(),
        tickets=NoTickets(),
        base_url="http://desk.example",
        key=key,
        default_language="en",
    )
