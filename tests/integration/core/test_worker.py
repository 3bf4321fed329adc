"""What one kind of work does to another in a worker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from core.domain.errors import ConversationErased
from core.domain.ids import ConversationId, new_id
from core.runtime.worker import do_jobs, open_jobs, register_lanes
from core.storage.engine import Sessions
from core.storage.wakeups import Lane, LaneKind, wake

CONCURRENCY = 2
PATIENCE_SECONDS = 15.0


class Work:
    """A lane whose work begins, and ends only when `may_end` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun = asyncio.Event()
        self.is_full = asyncio.Event()  # as much has begun as may be under way
        self.may_end = asyncio.Event()

    async def advance(self, _: ConversationId) -> None:
        self.begun += 1
        self.has_begun.set()
        if self.begun >= CONCURRENCY:
            self.is_full.set()
        await self.may_end.wait()


async def test_a_platform_that_hangs_does_not_hold_up_the_assistant(
    database_url: str, sessions: Sessions
) -> None:
    lanes = {kind: Work() for kind in LaneKind}
    jobs = open_jobs(database_url, CONCURRENCY)
    register_lanes(jobs, **cast("Any", lanes))
    async with jobs.open_async():
        working = asyncio.create_task(do_jobs(jobs, CONCURRENCY))
        for kind in (LaneKind.FILES, LaneKind.DELIVERIES, LaneKind.TURNS):
            async with sessions.begin() as session:
                await wake(
                    session,
                    [Lane(kind, ConversationId(new_id())) for _ in range(CONCURRENCY + 1)],
                )
            async with asyncio.timeout(PATIENCE_SECONDS):
                await lanes[kind].has_begun.wait()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await lanes[LaneKind.FILES].is_full.wait()
        assert lanes[LaneKind.FILES].begun == CONCURRENCY
        for work in lanes.values():
            work.may_end.set()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


class Erased(Work):
    """A lane whose conversations are gone."""

    async def advance(self, conversation: ConversationId) -> None:
        self.has_begun.set()
        raise ConversationErased


async def test_a_wake_up_that_outlives_its_conversation_is_no_error(
    database_url: str, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    lanes = {kind: Erased() for kind in LaneKind}
    jobs = open_jobs(database_url, CONCURRENCY)
    register_lanes(jobs, **cast("Any", lanes))
    async with jobs.open_async():
        async with sessions.begin() as session:
            await wake(session, [Lane(LaneKind.TURNS, ConversationId(new_id()))])
        await jobs.run_worker_async(wait=False, install_signal_handlers=False)
    assert lanes[LaneKind.TURNS].has_begun.is_set()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
