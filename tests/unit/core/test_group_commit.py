"""Calls share commits, and what goes wrong for one of them stays with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.domain.errors import InvalidInput, StorageUnavailable
from core.domain.group_commit import GroupCommit


class Store:
    """Doubles numbers in batches; a negative one is bad. A commit waits until `gate` is open."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_away = False

    async def commit(self, batch: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(batch))
        await self.gate.wait()
        if self.is_away:
            raise StorageUnavailable("the database is away")
        if any(item < 0 for item in batch):
            raise InvalidInput("a negative number")
        return [2 * item for item in batch]


@pytest.fixture
async def store() -> Store:
    return Store()


Submitted = list[asyncio.Task[int]]


async def submit_behind(
    commits: GroupCommit[int, int], store: Store, *items: int
) -> tuple[asyncio.Task[int], Submitted]:
    """Submit 0, and `items` while its commit runs; return when all of them wait."""
    store.gate.clear()
    first = asyncio.create_task(commits.submit(0))
    while not store.batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(commits.submit(item)) for item in items]
    await asyncio.sleep(0)
    return first, rest


async def test_calls_made_while_a_commit_runs_share_the_next(store: Store) -> None:
    commits = GroupCommit(store.commit, max_batch=3)
    first, rest = await submit_behind(commits, store, 1, 2, 3, 4)
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [0, 2, 4, 6, 8]
    assert store.batches == [[0], [1, 2, 3], [4]]


async def test_a_call_alone_does_not_wait_for_others(store: Store) -> None:
    commits = GroupCommit(store.commit)
    assert await commits.submit(1) == 2
    assert await commits.submit(2) == 4
    assert store.batches == [[1], [2]]


async def test_a_bad_item_fails_alone(store: Store) -> None:
    commits = GroupCommit(store.commit)
    first, rest = await submit_behind(commits, store, 1, -2, 3)
    store.gate.set()
    one, bad, three = await asyncio.gather(*rest, return_exceptions=True)
    assert (await first, one, three) == (0, 2, 6)
    assert isinstance(bad, InvalidInput)
    assert store.batches == [[0], [1, -2, 3], [1], [-2], [3]]


async def test_where_the_database_is_away_all_fail_at_once(store: Store) -> None:
    commits = GroupCommit(store.commit)
    first, rest = await submit_behind(commits, store, 1, 2, 3)
    store.is_away = True
    store.gate.set()
    results = await asyncio.gather(first, *rest, return_exceptions=True)
    assert [type(result) for result in results] == [StorageUnavailable] * 4
    assert store.batches == [[0], [1, 2, 3]]
    store.is_away = False
    assert await commits.submit(4) == 8


async def test_a_cancelled_caller_breaks_no_other_and_its_item_is_stored(store: Store) -> None:
    commits = GroupCommit(store.commit)
    first, (one, two, three) = await submit_behind(commits, store, 1, 2, 3)
    two.cancel()
    first.cancel()  # its commit runs
    store.gate.set()
    assert (await one, await three) == (2, 6)
    assert store.batches == [[0], [1, 2, 3]]
    assert two.cancelled()
    assert first.cancelled()
    assert await commits.submit(4) == 8


async def test_when_too_many_wait_the_next_is_refused_at_once(store: Store) -> None:
    commits = GroupCommit(store.commit, max_batch=2, max_waiting=3)
    first, rest = await submit_behind(commits, store, 1, 2, 3)
    with pytest.raises(StorageUnavailable, match="3 items wait"):
        await commits.submit(4)
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [0, 2, 4, 6]
    assert store.batches == [[0], [1, 2], [3]]
    assert await commits.submit(5) == 10


class Shelves:
    """Stores words; those that begin with a letter whose shelf is locked wait for it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.stored: list[str] = []
        self.locked: dict[str, asyncio.Event] = {}

    async def commit(self, batch: Sequence[str]) -> Sequence[str]:
        self.batches.append(list(batch))
        for word in batch:
            if lock := self.locked.get(word[0]):
                await lock.wait()
        self.stored += batch
        return batch


async def test_what_waits_for_a_lock_holds_up_its_own_subjects_alone() -> None:
    shelves = Shelves()
    shelves.locked["a"] = asyncio.Event()
    commits = GroupCommit(shelves.commit, subjects_of=lambda word: word[0], patience_seconds=0.0)
    words = ["a1", "b1", "a2", "c1", "b2"]
    first = asyncio.create_task(commits.submit(words[0]))
    while not shelves.batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(commits.submit(word)) for word in words[1:]]
    async with asyncio.timeout(10):
        while len(shelves.stored) < 3:
            await asyncio.sleep(0)
    assert sorted(shelves.stored) == ["b1", "b2", "c1"]
    assert shelves.stored.index("b1") < shelves.stored.index("b2")
    assert not first.done()
    shelves.locked["a"].set()
    assert await asyncio.gather(first, *rest) == words
    assert shelves.stored[-2:] == ["a1", "a2"]


async def test_what_came_later_stays_behind_what_it_has_in_common_with_something_that_waits() -> (
    None
):
    shelves = Shelves()
    shelves.locked["a"] = asyncio.Event()
    commits = GroupCommit(shelves.commit, subjects_of=set, patience_seconds=0.0)
    words = ["a", "ab", "bc", "d"]
    tasks = [asyncio.create_task(commits.submit(words[0]))]
    while not shelves.batches:
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(commits.submit(word)) for word in words[1:]]
    async with asyncio.timeout(10):
        assert await tasks[-1] == "d"
    assert shelves.stored == ["d"]
    shelves.locked["a"].set()
    assert await asyncio.gather(*tasks) == words
    assert shelves.stored == ["d", "a", "ab", "bc"]


async def test_commits_run_one_by_one_where_none_takes_long() -> None:
    shelves = Shelves()
    shelves.locked["a"] = asyncio.Event()
    commits = GroupCommit(shelves.commit, subjects_of=set, patience_seconds=3_600.0)
    first = asyncio.create_task(commits.submit("a"))
    while not shelves.batches:
        await asyncio.sleep(0)
    second = asyncio.create_task(commits.submit("b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert shelves.batches == [["a"]]
    shelves.locked["a"].set()
    assert (await first, await second) == ("a", "b")
    assert shelves.batches == [["a"], ["b"]]


async def test_how_many_wait_is_bounded_whatever_they_wait_for() -> None:
    shelves = Shelves()
    shelves.locked["a"] = asyncio.Event()
    commits = GroupCommit(shelves.commit, subjects_of=set, max_waiting=3, patience_seconds=0.0)
    tasks = [asyncio.create_task(commits.submit("a")) for _ in range(1)]
    while not shelves.batches:
        await asyncio.sleep(0)
    for _ in range(3):
        tasks.append(asyncio.create_task(commits.submit("a")))
        for _ in range(5):
            await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable, match="3 items wait"):
        await commits.submit("b")
    shelves.locked["a"].set()
    assert await asyncio.gather(*tasks) == ["a"] * 4


def test_a_loop_that_ends_in_the_middle_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        shelves = Shelves()
        shelves.locked["a"] = asyncio.Event()
        commits = GroupCommit(shelves.commit, subjects_of=set)
        waiting = [asyncio.create_task(commits.submit(word)) for word in ("a", "ab", "b")]
        while not shelves.batches:
            await asyncio.sleep(0)
        for task in waiting:
            task.cancel()

    asyncio.run(main())
    assert not caplog.records
