"""An inbox and a blob store kept in memory, and updates as Telegram writes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.domain.account import Health
from core.domain.assistant import TicketBrief
from core.domain.errors import NotFound, StorageUnavailable
from core.domain.events import Event, MessagePosted
from core.domain.ids import AccountId, Address, RemoteId, ThreadKey
from core.ports import Acceptance, ChannelContext, Cursor

ACCOUNT = AccountId("support-bot")
BOT = 700
ANA: dict[str, Any] = {"id": 11, "is_bot": False, "first_name": "Ana", "language_code": "es-ES"}
PRIVATE: dict[str, Any] = {"id": 11, "type": "private", "first_name": "Ana"}
GROUP: dict[str, Any] = {"id": -1000000000123, "type": "supergroup", "title": "Office"}


def message(**fields: Any) -> dict[str, Any]:
    """Return a `Message` that says hello in private, or what `fields` say instead."""
    base: dict[str, Any] = {"message_id": 5, "date": 1_700_000_000, "chat": PRIVATE, "from": ANA}
    return {**base, **(fields or {"text": "hello"})}


def update(kind: str = "message", /, **fields: Any) -> dict[str, Any]:
    """Return an `Update` with one `message(**fields)`."""
    return {"update_id": 900, kind: message(**fields)}


def raw(content: Any) -> bytes:
    """Return a payload as it comes."""
    return json.dumps(content).encode()


class MemoryDesk:
    """Keeps the promises of `Inbox`, `BlobStore` and `RequesterTickets` for one process."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.put_aside: list[str] = []
        self.set_aside_payloads: dict[str, dict[str, bytes]] = {}
        self.told: list[Health] = []
        self.files: dict[str, bytes] = {}
        self.are_files_away = False
        self._cursors: dict[str, str] = {}
        self._news = asyncio.Condition()

    def context(self, base_url: str = "http://127.0.0.1") -> ChannelContext:
        """Return what a channel of this desk is lent."""
        return ChannelContext(
            blobs=self, tickets=self, base_url=base_url, key=b"key", default_language="en"
        )

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        known = {event.key for event in self.events}
        fresh = list({event.key: event for event in events if event.key not in known}.values())
        self.events += fresh
        if cursor is not None:
            self._cursors[cursor.name] = cursor.value
        await self._changed()
        return tuple(Acceptance(key=event.key, is_new=event in fresh) for event in events)

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        self.put_aside.append(reason)
        await self._changed()

    async def cursor(self, account: AccountId, name: str) -> str | None:
        return self._cursors.get(name)

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        threads = {
            name: event.thread
            for event in self.events
            if isinstance(event, MessagePosted)
            for name in event.remote_ids
        }
        return {name: threads[name] for name in remote_ids if name in threads}

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        return any(event.thread == thread for event in self.events)

    async def set_aside(self, account: AccountId, subject: str, key: str, raw: bytes) -> None:
        self.set_aside_payloads.setdefault(subject, {}).setdefault(key, raw)

    async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
        return list(self.set_aside_payloads.get(subject, {}).values())

    async def report(self, account: AccountId, health: Health) -> None:
        self.told.append(health)
        await self._changed()

    async def put(self, key: str, content: bytes) -> None:
        self.files[key] = content

    async def get(self, key: str) -> bytes:
        if self.are_files_away:
            raise StorageUnavailable("the blob store cannot be read")
        if key not in self.files:
            raise NotFound(key)
        return self.files[key]

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        return ()

    async def until(self, count: int) -> None:
        """Wait until so many events are there."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.events) >= count)

    async def until_told(self, state: str) -> Health:
        """Wait until the account has been in `state`."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: any(one.state == state for one in self.told))
        return next(one for one in self.told if one.state == state)

    async def _changed(self) -> None:
        async with self._news:
            self._news.notify_all()
