"""Group commit: calls that arrive while a commit runs share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.domain.errors import StorageUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Collects items into batches without ever waiting for more to come.

    `commit` stores a batch in one transaction and returns one result per item, in order. Where
    it fails for a batch, each item is tried alone, so that a bad one does not take the others
    with it; but not where the database is away, which would fail them all again.
    At most `max_waiting` items wait; more would only wait for longer than their callers do.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        max_batch: int = 64,
        max_waiting: int = 10_000,
    ) -> None:
        self._commit = commit
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._queue: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Return the result of `item` once it is committed, or raise what its commit raised.

        A caller that is cancelled gives up waiting; its item is stored all the same.

        Raises:
            StorageUnavailable: too many items wait already; this one was not taken.
        """
        if len(self._queue) >= self._max_waiting:
            raise StorageUnavailable(f"{self._max_waiting} items wait to be stored: try again")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain(), name="group commit")
        return await future

    async def _drain(self) -> None:
        while self._queue:
            size = min(len(self._queue), self._max_batch)
            await self._store([self._queue.popleft() for _ in range(size)])

    async def _store(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._commit([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # handed to the callers, every one of them
            if len(batch) == 1 or isinstance(error, StorageUnavailable):
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for pair in batch:
                    await self._store([pair])
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
