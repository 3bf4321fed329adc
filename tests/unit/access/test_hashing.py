"""Attempts that wait for a hash: so many, and every place gets its turn."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack

import pytest
from argon2 import PasswordHasher

from core.domain.errors import Busy, TooManyAttempts
from core.services.access.hashing import MOST_ATTEMPTS, Hashes

SEEN = 10  # seconds until a test gives up


class Gate(PasswordHasher):
    """A hasher that works one at a time when it is let, and keeps what it hashed."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.permits = threading.Semaphore(0)
        self.done: list[bytes] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.permits.acquire(timeout=SEEN)
        with self._lock:
            self.at_once -= 1
            self.done.append(bytes(password) if isinstance(password, bytes) else password.encode())
        return super().hash(password, salt=salt)


async def until_begun(gate: Gate, count: int) -> None:
    async with asyncio.timeout(SEEN):
        while gate.at_once < count:
            await asyncio.sleep(0)


async def test_two_are_hashed_at_a_time_and_places_take_turns() -> None:
    gate = Gate()
    hashing = Hashes(gate)
    many = [asyncio.create_task(hashing.hash(f"a{n}", "a")) for n in range(8)]
    await until_begun(gate, 2)
    one = asyncio.create_task(hashing.hash("b0", "b"))
    await asyncio.sleep(0)
    for _ in range(9):
        gate.permits.release()
    await asyncio.gather(*many, one)
    assert gate.most_at_once == 2
    # Two were at it, the next of place a was first in line; then it is the other place's turn.
    assert gate.done.index(b"b0") <= 5


async def test_who_gives_up_leaves_the_turn_to_the_next() -> None:
    gate = Gate()
    hashing = Hashes(gate)
    first = [asyncio.create_task(hashing.hash(f"a{n}", "a")) for n in range(2)]
    await until_begun(gate, 2)
    waits = asyncio.create_task(hashing.hash("gone", "b"))
    await asyncio.sleep(0)
    waits.cancel()
    last = asyncio.create_task(hashing.hash("last", "c"))
    for _ in range(3):
        gate.permits.release()
    async with asyncio.timeout(SEEN):
        await asyncio.gather(*first, last)
    assert b"gone" not in gate.done
    assert (await asyncio.gather(waits, return_exceptions=True))[0].__class__ is (
        asyncio.CancelledError
    )


async def test_who_gives_up_while_hashed_keeps_the_turn_until_the_thread_is_through() -> None:
    gate = Gate()
    hashing = Hashes(gate)
    first = [asyncio.create_task(hashing.hash(f"a{n}", "a")) for n in range(2)]
    await until_begun(gate, 2)
    last = [asyncio.create_task(hashing.hash(f"b{n}", "b")) for n in range(2)]
    for task in first:
        task.cancel()
    given_up = await asyncio.gather(*first, return_exceptions=True)
    assert {type(outcome) for outcome in given_up} == {asyncio.CancelledError}
    for _ in range(4):
        gate.permits.release()
    async with asyncio.timeout(SEEN):
        await asyncio.gather(*last)
    assert gate.most_at_once == 2
    assert sorted(gate.done[:2]) == [b"a0", b"a1"]


def test_a_place_leaves_room_for_others() -> None:
    hashing = Hashes()
    with ExitStack() as inside:
        taken = fill(hashing, inside, "a", is_known=False)
        assert 4 <= taken <= MOST_ATTEMPTS // 3
        with pytest.raises(TooManyAttempts):
            inside.enter_context(hashing.attempt("a", is_known=False))
        assert fill(hashing, inside, "b", is_known=False) >= 4
        inside.enter_context(hashing.attempt("c", is_known=False))


def test_strangers_from_everywhere_leave_room_for_browsers_that_are_known() -> None:
    hashing = Hashes()
    with ExitStack() as inside:
        for n in range(24):
            inside.enter_context(hashing.attempt(f"place {n}", is_known=False))
        with pytest.raises(Busy) as refused:
            inside.enter_context(hashing.attempt("one more", is_known=False))
        assert refused.value.retry_after > 0
        inside.enter_context(hashing.attempt("browser", is_known=True))
    with hashing.attempt("later", is_known=False):
        pass


def fill(hashing: Hashes, inside: ExitStack, place: str, *, is_known: bool) -> int:
    for n in range(1_000):
        try:
            inside.enter_context(hashing.attempt(place, is_known=is_known))
        except TooManyAttempts:
            return n
    raise AssertionError("a place has no limit")
