"""Live pages' ear on the database: one listening connection a process, many waiting readers.

What is heard comes at once. What is not, because whoever changed something died before they could
say so, or because a network lost the connection without a word, is found by looking.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from psycopg import AsyncConnection, OperationalError, sql

from core.domain.errors import StorageUnavailable
from core.domain.ids import AccountId, ThreadKey
from core.ports import FileStore, TranscriptEntry, TranscriptFile
from core.storage.engine import Sessions, libpq_url, storage_errors
from core.storage.feed import CHANNEL, NOTICES, VISIT, thread_topic
from core.storage.queries.conversations.transcripts import file_of_thread, thread_since
from core.storage.queries.feed import feed_end, read_feed, threads_of

_LOGGER = logging.getLogger(__name__)
_EVERYTHING = "*"
_RECONNECT_SECONDS = 0.5
_LOOK_SECONDS = 3.0  # at most so much later comes what was not heard
_TRIED_SECONDS = 30.0  # so often the listening connection is asked whether it is still one
_ANSWER_SECONDS = 10.0
_LONGEST_SILENCE_SECONDS = 30.0


class Live:
    """Wakes readers when something they watch has changed."""

    def __init__(self, url: str, sessions: Sessions) -> None:
        self._url = libpq_url(url)
        self._sessions = sessions
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._visited: list[set[str]] = []

    async def run(self) -> None:
        """Listen and look until cancelled, whatever goes wrong."""
        while True:
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._listen())
                    both.create_task(self._look())
            except* Exception:
                _LOGGER.exception("the feed is not followed, beginning again")
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Wake whoever is told; after every (re)connection all readers look once."""
        while True:
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                    self._wake_all()
                    while True:
                        async for notice in connection.notifies(timeout=_TRIED_SECONDS):
                            self._wake(notice.payload)
                        async with asyncio.timeout(_ANSWER_SECONDS):
                            await connection.execute("SELECT 1")
            except (OperationalError, TimeoutError) as error:
                _LOGGER.warning("the feed's connection is gone, trying again: %r", error)
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _look(self) -> None:
        """Wake whoever watches what has changed, heard or not: to look twice costs little."""
        position = None
        while True:
            try:
                async with storage_errors(), self._sessions() as session:
                    if position is None:
                        position = await feed_end(session)
                    news = await read_feed(session, position)
                    threads = await threads_of(session, news.conversations)
            except StorageUnavailable as error:
                _LOGGER.warning("the feed cannot be read, trying again: %s", error)
            else:
                position = news.position
                if not news.is_complete:
                    self._wake_all()
                if news.has_notices:
                    self._wake(NOTICES)
                for account, thread in threads:
                    self._wake(thread_topic(account, thread))
            await asyncio.sleep(_LOOK_SECONDS)

    @asynccontextmanager
    async def watch(self, topic: str = _EVERYTHING) -> AsyncIterator[AsyncIterator[None]]:
        """Yield, once entered, a stream that ticks whenever `topic` (or anything) has changed.

        It also ticks after a long silence, for what readers do by the clock.
        """
        event = asyncio.Event()
        watchers = self._watchers.setdefault(topic, set())
        watchers.add(event)
        try:
            yield _ticks(event)
        finally:
            watchers.discard(event)
            if not watchers:
                self._watchers.pop(topic, None)

    @asynccontextmanager
    async def visits(self) -> AsyncIterator[set[str]]:
        """Yield a set into which the ids of conversations come where visitors came or went.

        The watcher of everything ticks with it, and takes out what it has told.
        """
        visited: set[str] = set()
        self._visited.append(visited)
        try:
            yield visited
        finally:
            self._visited = [other for other in self._visited if other is not visited]

    def _wake(self, topic: str) -> None:
        if topic.startswith(VISIT):
            for visited in self._visited:
                visited.add(topic.removeprefix(VISIT))
        for watched in (topic, _EVERYTHING):
            for event in self._watchers.get(watched, ()):
                event.set()

    def _wake_all(self) -> None:
        for events in self._watchers.values():
            for event in events:
                event.set()


async def _ticks(event: asyncio.Event) -> AsyncIterator[None]:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_SILENCE_SECONDS):
                await event.wait()
        event.clear()
        yield


class LiveTranscript:
    """Implements `core.ports.Transcript`."""

    def __init__(self, sessions: Sessions, live: Live, store: FileStore) -> None:
        self._sessions = sessions
        self._live = live
        self._store = store

    async def since(
        self, account: AccountId, thread: ThreadKey, after: int, limit: int = 200
    ) -> Sequence[TranscriptEntry]:
        """See `core.ports.Transcript.since`."""
        async with storage_errors(), self._sessions() as session:
            return await thread_since(session, account, thread, after, limit)

    async def open_file(
        self, account: AccountId, thread: ThreadKey, file: UUID
    ) -> tuple[TranscriptFile, AsyncIterator[bytes]]:
        """See `core.ports.Transcript.open_file`."""
        async with storage_errors(), self._sessions() as session:
            found, key = await file_of_thread(session, account, thread, file)
        return found, self._store.stream(key)

    @asynccontextmanager
    async def watch(
        self, account: AccountId, thread: ThreadKey
    ) -> AsyncIterator[AsyncIterator[None]]:
        """See `core.ports.Transcript.watch`."""
        async with self._live.watch(thread_topic(account, thread)) as ticks:
            yield ticks
