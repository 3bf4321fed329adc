"""An inbox and a transcript kept in memory, for tests of the web chat without a database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from channels.webchat.channel import WebChat
from core.domain.account import Health
from core.domain.content import Choice, Intent
from core.domain.conversation import Speaker
from core.domain.errors import (
    Conflict,
    DeskError,
    InvalidInput,
    NotFound,
    StorageUnavailable,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
)
from core.domain.events import ChoicePressed, Event, MessagePosted
from core.domain.files import KeptFile
from core.domain.ids import (
    AccountId,
    ChoiceId,
    EventKey,
    MessageId,
    RemoteId,
    ThreadKey,
    new_id,
)
from core.ports import Acceptance, Cursor, Refusal, TranscriptEntry, TranscriptFile
from tests.support.nothing_aside import NothingAside

ACCOUNT = AccountId("webchat")
KEY = b"a key that only this test knows"

_STATUS: dict[type[DeskError], int] = {
    TooLarge: 413,
    InvalidInput: 422,
    Unauthenticated: 401,
    NotFound: 404,
    Conflict: 409,
    TooManyAttempts: 429,
    StorageUnavailable: 503,
}


class MemoryDesk(NothingAside):
    """Keeps the promises of `Inbox` and `Transcript` for one process."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_down = False
        self.files: dict[UUID, bytes] = {}
        self._entries: dict[ThreadKey, list[TranscriptEntry]] = defaultdict(list)
        self._accepted: dict[EventKey, Acceptance] = {}
        self._watchers: dict[ThreadKey, set[asyncio.Queue[None]]] = defaultdict(set)

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        self._check()
        return tuple(self._accept(event) for event in events)

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> NoReturn:
        raise AssertionError("the web chat refuses what it does not understand")

    async def cursor(self, account: AccountId, name: str) -> str | None:
        return None

    async def threads_of(
        self, account: AccountId, remote_ids: Collection[RemoteId]
    ) -> Mapping[RemoteId, ThreadKey]:
        return {}

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        return bool(self._entries[thread])

    async def report(self, account: AccountId, health: Health) -> None:
        raise AssertionError("the web chat is always there")

    async def since(
        self, account: AccountId, thread: ThreadKey, after: int, limit: int = 200
    ) -> Sequence[TranscriptEntry]:
        self._check()
        return [entry for entry in self._entries[thread] if entry.seq > after][:limit]

    async def open_file(
        self, account: AccountId, thread: ThreadKey, file: UUID
    ) -> tuple[TranscriptFile, AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield self.files[file]

        for entry in self._entries[thread]:
            for kept in entry.files:
                if kept.id == file:
                    return kept, pieces()
        raise NotFound("there is no such file in this conversation")

    @asynccontextmanager
    async def watch(
        self, account: AccountId, thread: ThreadKey
    ) -> AsyncIterator[AsyncIterator[None]]:
        self._check()
        queue: asyncio.Queue[None] = asyncio.Queue()

        async def changes() -> AsyncIterator[None]:
            while True:
                await queue.get()
                yield

        self._watchers[thread].add(queue)
        try:
            yield changes()
        finally:
            self._watchers[thread].remove(queue)

    def say(
        self,
        thread: ThreadKey,
        text: str,
        *,
        speaker: Speaker = Speaker.BOT,
        name: str | None = None,
        choices: Sequence[str] = (),
        files: Sequence[TranscriptFile] = (),
        at: datetime | None = None,
    ) -> TranscriptEntry:
        """Add a message to a thread, as the desk does for everybody but the requester."""
        entries = self._entries[thread]
        entry = TranscriptEntry(
            id=MessageId(new_id()),
            seq=entries[-1].seq + 1 if entries else 1,
            speaker=speaker,
            speaker_name=name,
            text=text,
            choices=tuple(
                Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="test"))
                for label in choices
            ),
            chosen=None,
            at=at or datetime.now(UTC),
            files=tuple(files),
        )
        entries.append(entry)
        self.wake(thread)
        return entry

    def forget(self, thread: ThreadKey) -> None:
        """Lose a thread, as no desk does: what pages still show of it is unknown from now on."""
        del self._entries[thread]

    def wake(self, thread: ThreadKey) -> None:
        """Tell whoever watches `thread` to look again."""
        for queue in self._watchers[thread]:
            queue.put_nowait(None)

    def watchers(self, thread: ThreadKey) -> int:
        """Return how many streams watch `thread`."""
        return len(self._watchers[thread])

    def _check(self) -> None:
        if self.is_down:
            raise StorageUnavailable("the test took the database away")

    def _accept(self, event: Event) -> Acceptance:
        known = self._accepted.get(event.key)
        if known is not None:
            return replace(known, is_new=False)
        match event:
            case MessagePosted():
                files = [
                    TranscriptFile(
                        id=new_id(),
                        name=file.name,
                        media_type=file.media_type,
                        size_bytes=file.size_bytes or 0,
                        is_ready=False,
                    )
                    for file in event.body.files
                ]
                entry = self.say(
                    event.thread, event.body.text, speaker=Speaker.CUSTOMER, files=files
                )
                acceptance = Acceptance(key=event.key, is_new=True, message=entry.id, seq=entry.seq)
            case ChoicePressed():
                acceptance = self._press(event)
            case _:
                raise AssertionError(f"the web chat does not send {type(event).__name__}")
        self.events.append(event)
        self._accepted[event.key] = acceptance
        return acceptance

    def _press(self, event: ChoicePressed) -> Acceptance:
        entries = self._entries[event.thread]
        for position, entry in enumerate(entries):
            for choice in entry.choices:
                if choice.id == event.choice and entry.chosen is not None:
                    return Acceptance(key=event.key, is_new=True, refusal=Refusal.ALREADY_CHOSEN)
                if choice.id == event.choice:
                    entries[position] = replace(entry, chosen=choice.id)
                    said = self.say(event.thread, choice.label, speaker=Speaker.CUSTOMER)
                    return Acceptance(key=event.key, is_new=True, message=said.id, seq=said.seq)
        return Acceptance(key=event.key, is_new=True, refusal=Refusal.UNKNOWN_CHOICE)


class MemoryDeposit:
    """Keeps the promises of `FileDeposit`; takes no programs."""

    max_bytes = 100_000

    def __init__(self) -> None:
        self.left: dict[str, bytes] = {}

    async def leave(self, pieces: AsyncIterator[bytes], *, name: str, media_type: str) -> KeptFile:
        content = b"".join([piece async for piece in pieces])
        if len(content) > self.max_bytes:
            raise TooLarge("the file is too large")
        if name.endswith(".exe"):
            raise InvalidInput("programs and scripts cannot be sent")
        key = f"files/{len(self.left)}"
        self.left[key] = content
        return KeptFile(name=name, media_type=media_type, size_bytes=len(content), blob_key=key)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        if key not in self.left:
            raise NotFound("nothing is stored there")
        yield self.left[key]


def application(desk: MemoryDesk, chat: WebChat | None = None) -> Starlette:
    """Return an application that serves the chat over `desk`, with errors as problem documents."""
    chat = chat or WebChat(ACCOUNT, KEY)
    return Starlette(routes=list(chat.routes(desk, desk)), exception_handlers={DeskError: _problem})


def _problem(request: Request, error: Exception) -> Response:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    content = {"type": "about:blank", "status": status, "detail": str(error)}
    headers = (
        {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else None
    )
    return Response(to_json(content), status, headers, "application/problem+json")
