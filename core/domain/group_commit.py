"""Group commit: calls that arrive while a commit runs share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from core.domain.errors import StorageUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(NamedTuple, Generic[Item, Result]):
    item: Item
    result: asyncio.Future[Result]
    subjects: frozenset[Hashable]


_PATIENCE_SECONDS = 0.05  # some commits' worth: most end before a second one is begun
_AT_ONCE = 4


def _one_subject(_: object) -> Collection[Hashable]:
    return (None,)


class GroupCommit(Generic[Item, Result]):
    """Collects items into batches without ever waiting for more to come.

    `commit` stores a batch in one transaction and returns one result per item, in order. Where
    it fails for a batch, each item is tried alone, so that a bad one does not take the others
    with it; but not where the database is away, which would fail them all again.
    At most `max_waiting` items wait; more would only wait for longer than their callers do.

    One commit runs at a time, as sharing it is cheaper; but where it takes long (a record of it is
    locked elsewhere) another begins beside it, with items that have no subject in common with it.
    `subjects_of` an item are what its order matters for: items with one in common are stored in the
    order in which they came. Without it all are.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        subjects_of: Callable[[Item], Collection[Hashable]] = _one_subject,
        max_batch: int = 64,
        max_waiting: int = 10_000,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._commit = commit
        self._subjects_of = subjects_of
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._patience_seconds = patience_seconds
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._running: dict[asyncio.Task[None], set[Hashable]] = {}
        self._begun_at = 0.0  # when the latest commit began
        # Came before what is in the queue, and waits for a commit that runs to end: nothing else
        # lets it go on, so it is not looked at again before.
        self._held: list[_Waiting[Item, Result]] = []
        self._barred: set[Hashable] = set()  # subjects of what runs, and of what is held

    async def submit(self, item: Item) -> Result:
        """Return the result of `item` once it is committed, or raise what its commit raised.

        A caller that is cancelled gives up waiting; its item is stored all the same.

        Raises:
            StorageUnavailable: too many items wait already; this one was not taken.
        """
        if len(self._queue) + len(self._held) >= self._max_waiting:
            raise StorageUnavailable(f"{self._max_waiting} items wait to be stored: try again")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, future, frozenset(self._subjects_of(item))))
        # Not at once: calls made in the same turn of the loop share the commit.
        asyncio.get_running_loop().call_soon(self._begin)
        return await future

    def _begin(self) -> None:
        """Begin a commit of what waits, where none runs or the latest takes long."""
        loop = asyncio.get_running_loop()
        if not self._queue or len(self._running) >= _AT_ONCE:
            return
        if self._running and loop.time() < self._begun_at + self._patience_seconds:
            return  # it is looked at again then
        batch, subjects = self._next_batch()
        if not batch:
            return
        task = asyncio.create_task(self._store(batch), name="group commit")
        self._running[task] = subjects
        task.add_done_callback(self._ended)
        self._begun_at = loop.time()
        loop.call_later(self._patience_seconds, self._begin)

    def _next_batch(self) -> tuple[list[_Waiting[Item, Result]], set[Hashable]]:
        """Take from the queue what may be stored now, and say which subjects it has."""
        batch: list[_Waiting[Item, Result]] = []
        taken: set[Hashable] = set()
        while self._queue and len(batch) < self._max_batch:
            waiting = self._queue.popleft()
            if self._barred.isdisjoint(waiting.subjects):
                batch.append(waiting)
                taken |= waiting.subjects
            else:
                self._held.append(waiting)
                self._barred |= waiting.subjects  # what came later for them stays behind it
        self._barred |= taken
        return batch, taken

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._barred = set().union(*self._running.values())
        self._queue.extendleft(reversed(self._held))
        self._held.clear()
        if not task.cancelled():  # else the loop itself ends
            self._begin()

    async def _store(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        try:
            results = await self._commit([waiting.item for waiting in batch])
        except Exception as error:  # noqa: BLE001  # handed to the callers, every one of them
            if len(batch) == 1 or isinstance(error, StorageUnavailable):
                for waiting in batch:
                    if not waiting.result.done():
                        waiting.result.set_exception(error)
            else:
                for waiting in batch:
                    await self._store([waiting])
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.result.done():
                    waiting.result.set_result(result)
