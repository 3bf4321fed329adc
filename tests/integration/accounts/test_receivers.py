"""An account is received by one process at a time, and by another as soon as that one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from core.domain.account import AccountState
from core.domain.ids import AccountId
from core.runtime.leases import LeaseLost, leases
from core.runtime.machine.polling import until
from core.runtime.receivers import Receivers
from tests.integration.accounts.conftest import Process

DUTY = AccountId("duty")
Make = Callable[..., Process]


@asynccontextmanager
async def receiving(desk: Process, database_url: str) -> AsyncIterator[None]:
    """Run what `desk receive` runs."""
    tasks = [
        asyncio.create_task(desk.directory.watch()),
        asyncio.create_task(Receivers(database_url, desk.directory, desk.intake).run()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def begun(desk: Process) -> None:
    """Wait until `desk` receives the account."""

    async def receives() -> bool:
        return DUTY in desk.directory.channels and desk.pager("duty").receiving > 0

    assert await until(receives, every=0.02, seconds=10)


def receives(desk: Process) -> bool:
    return DUTY in desk.directory.channels and desk.pager("duty").receiving > 0


async def test_one_of_two_processes_receives_and_the_other_takes_over(
    process: Make, database_url: str
) -> None:
    first, second = process(), process()
    await first.book.add("duty", "pager", {"token": "x"})
    async with receiving(second, database_url):
        async with receiving(first, database_url):

            async def somebody() -> bool:
                return receives(first) or receives(second)

            assert await until(somebody, every=0.02, seconds=10)
            await second.directory.refresh()
            assert receives(first) != receives(second)
        await begun(second)


async def test_a_lost_lease_ends_receiving_at_once(process: Make, database_url: str) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    async with receiving(desk, database_url):
        await begun(desk)
        pager = desk.pager("duty")
        pager.ended.clear()
        await cut_leases(database_url)
        async with asyncio.timeout(20):
            await pager.ended.wait()
        await begun(desk)  # and it is taken again


async def cut_leases(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'desk leases' AND datname = current_database()"
        )


async def test_what_is_done_in_the_console_is_followed(process: Make, database_url: str) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    async with receiving(desk, database_url):
        await begun(desk)
        old = desk.pager("duty")
        await desk.book.change(DUTY, {"port": "26"})
        async with asyncio.timeout(5):
            await old.ended.wait()
        await begun(desk)
        assert desk.pager("duty") is not old
        pager = desk.pager("duty")
        await desk.book.set_enabled(DUTY, enabled=False)
        async with asyncio.timeout(5):
            await pager.ended.wait()


async def test_a_channel_that_fails_is_shown_and_tried_again(
    process: Make, database_url: str
) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x", "server": "broken.example.org"})
    await desk.book.add("other", "pager", {"token": "x"})
    async with receiving(desk, database_url):

        async def shown() -> bool:
            return (await desk.view("duty")).health.state is AccountState.DEGRADED

        assert await until(shown, every=0.02, seconds=10)
        assert "RuntimeError" in (await desk.view("duty")).health.reason
        pager = desk.pager("duty")
        pager.began.clear()
        async with asyncio.timeout(5):
            await pager.began.wait()
        assert desk.pager("other").receiving == 1


async def test_a_holder_that_hangs_loses_its_lease(database_url: str) -> None:
    async with leases(database_url) as hanging, leases(database_url) as other:
        assert await hanging.take("duty")
        assert not await other.take("duty")

        async def taken() -> bool:
            return await other.take("duty")

        # `hanging.hold` does not run, as in a process that stands still.
        assert await until(taken, every=0.1, seconds=10)
        with pytest.raises(LeaseLost):
            await hanging.hold()


async def test_a_lease_that_was_given_back_can_be_taken(database_url: str) -> None:
    async with leases(database_url) as first, leases(database_url) as other:
        assert await first.take("duty")
        await first.give_back("duty")
        assert await other.take("duty")
