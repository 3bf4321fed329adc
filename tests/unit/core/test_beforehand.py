"""What is read beforehand is read in one go, and handed out once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.beforehand import Beforehand


class Table:
    """Numbers by name, which notes what it is asked for."""

    def __init__(self) -> None:
        self.rows = {"a": 1, "b": 2}
        self.asked: list[list[str]] = []

    async def read(self, _session: AsyncSession, keys: Collection[str]) -> Mapping[str, int]:
        self.asked.append(sorted(keys))
        return {key: self.rows[key] for key in keys}


async def test_several_are_read_in_one_go() -> None:
    table, session = Table(), AsyncSession()
    numbers = Beforehand(table.read)
    await numbers.read(session, ["a", "b"])
    assert [await numbers.take(session, "a"), await numbers.take(session, "b")] == [1, 2]
    assert table.asked == [["a", "b"]]


async def test_whoever_asks_again_gets_what_is_there_by_then() -> None:
    table, session = Table(), AsyncSession()
    numbers = Beforehand(table.read)
    await numbers.read(session, ["a"])
    assert await numbers.take(session, "a") == 1
    table.rows["a"] = 3
    assert await numbers.take(session, "a") == 3


async def test_what_was_read_for_an_earlier_round_is_forgotten() -> None:
    table, session = Table(), AsyncSession()
    numbers = Beforehand(table.read)
    await numbers.read(session, ["a", "b"])
    table.rows["b"] = 5
    await numbers.read(session, [])
    assert await numbers.take(session, "b") == 5


async def test_another_session_sees_nothing_of_it() -> None:
    table = Table()
    numbers = Beforehand(table.read)
    await numbers.read(AsyncSession(), ["a"])
    table.rows["a"] = 7
    assert await numbers.take(AsyncSession(), "a") == 7
