"""The worker process: does the work of lanes, watches the assistant, keeps the clock's duties."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from core.domain.errors import ConversationErased, EmbedderUnavailable, StorageUnavailable
from core.domain.ids import ConversationId
from core.ports import Assistant
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.lanes.files import FilesLane
from core.runtime.lanes.people import PeopleLane
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.runtime.upkeep import HEARTBEAT_SECONDS, STALLED_SECONDS, Duty, Upkeep
from core.services.knowledge import Knowledge
from core.services.reactions import Reactions
from core.storage.engine import libpq_url
from core.storage.wakeups import LaneKind

_LOGGER = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
_TRUSTED_SECONDS = 1.0
_EMBED_BATCH = 32
_LEARN_SECONDS = 300.0
_LEARN_PAUSE_SECONDS = 0.2  # after each question: others ask too
_LEARN_RETRY_SECONDS = (2.0, 5.0, 10.0)
_GRACE_SECONDS = 5.0

# Each with workers of its own: a platform that hangs holds up neither the assistant nor, by its
# files, what is to be sent elsewhere.
_QUEUES = (
    (LaneKind.TURNS,),
    (LaneKind.DELIVERIES, LaneKind.PEOPLE),
    (LaneKind.FILES,),
    (LaneKind.REACTIONS,),
)


def instance_name() -> str:
    """Return a name for this process that no other process alive has."""
    return f"{platform.node()}:{os.getpid()}"


def open_jobs(url: str, concurrency: int) -> App:
    """Return the job queue at `url`; open it before use.

    Taking a job and finishing it do not wait for the disk. A job is only a wake-up: the commit
    of the lane's own items, which does wait, writes out what came before it. What a crash of the
    server may lose is the end of a job; `Upkeep.note_life` sees to that.
    """
    return App(
        connector=PsycopgConnector(
            conninfo=libpq_url(url),
            min_size=1,
            max_size=min(concurrency, 4) + 1 + len(_QUEUES),  # of which one listens for each
            kwargs={"options": "-c synchronous_commit=off"},
            configure=_commit_each_statement,
            pool_factory=_pool,
        )
    )


def _pool(**options: Any) -> AsyncConnectionPool:
    """Return the queue's pool, which tries a connection that was not tried of late before use.

    The queue itself would have each tried each time: a question more for every statement.
    """
    tried_at: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()

    async def check(connection: AsyncConnection[Any]) -> None:
        if time.monotonic() - tried_at.get(connection, -_TRUSTED_SECONDS) >= _TRUSTED_SECONDS:
            await AsyncConnectionPool.check_connection(connection)
            tried_at[connection] = time.monotonic()

    return AsyncConnectionPool(**options | {"check": check})


async def _commit_each_statement(connection: AsyncConnection[object]) -> None:
    """The queue asks one statement at a time: a BEGIN and a COMMIT around each say nothing."""
    await connection.set_autocommit(True)


def register_lanes(
    app: App,
    turns: TurnsLane,
    deliveries: DeliveriesLane,
    people: PeopleLane,
    files: FilesLane,
    reactions: Reactions,
) -> None:
    """Teach `app` what to do when a lane is woken."""

    lanes: Mapping[LaneKind, _Lane] = {
        LaneKind.TURNS: turns,
        LaneKind.DELIVERIES: deliveries,
        LaneKind.PEOPLE: people,
        LaneKind.FILES: files,
        LaneKind.REACTIONS: reactions,
    }
    for kind, lane in lanes.items():
        app.task(name=f"advance_{kind}", queue=kind)(_advancing(lane))


class _Lane(Protocol):
    async def advance(self, conversation: ConversationId) -> object: ...


def _advancing(lane: _Lane) -> Callable[[str], Awaitable[None]]:
    async def advance(conversation: str) -> None:
        with _unless_erased(conversation):
            await lane.advance(ConversationId(UUID(conversation)))

    return advance


@contextmanager
def _unless_erased(conversation: str) -> Iterator[None]:
    """Let a lane end quietly whose conversation is gone: its wake-ups outlive it."""
    try:
        yield
    except ConversationErased:
        _LOGGER.info("conversation %s was erased: nothing is left to do", conversation)


async def run_worker(
    *,
    jobs: App,
    upkeep: Upkeep,
    assistant: Assistant,
    gate: AssistantGate,
    knowledge: Knowledge,
    callers: Sequence[Duty],
    concurrency: int,
) -> None:
    """Work until cancelled. The caller has opened `jobs` and registered the lanes."""
    try:
        await _work(jobs, upkeep, assistant, gate, knowledge, callers, concurrency)
    except asyncio.CancelledError:
        await upkeep.note_orderly_stop()
        raise


async def _work(
    jobs: App,
    upkeep: Upkeep,
    assistant: Assistant,
    gate: AssistantGate,
    knowledge: Knowledge,
    callers: Sequence[Duty],
    concurrency: int,
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do_jobs(jobs, concurrency), name="jobs")
        group.create_task(_every(1.0, lambda: _watch(assistant, gate, upkeep)), name="assistant")
        group.create_task(_every(1.0, upkeep.sweep), name="sweep")
        group.create_task(_every(HEARTBEAT_SECONDS, upkeep.note_life), name="life")
        group.create_task(_every(HEARTBEAT_SECONDS, upkeep.revive_stalled), name="stalled jobs")
        group.create_task(_every(3_600.0, upkeep.tidy), name="tidy")
        group.create_task(_every(1.0, lambda: _embed(knowledge)), name="embedding")
        group.create_task(_every(_LEARN_SECONDS, lambda: _learn(knowledge)), name="own questions")
        for caller in callers:
            group.create_task(_every(1.0, partial(upkeep.whole.do, caller)), name="calls")


async def do_jobs(jobs: App, concurrency: int) -> None:
    """Advance lanes until cancelled, `concurrency` of each group of queues at a time."""
    async with asyncio.TaskGroup() as group:
        for queues in _QUEUES:
            group.create_task(_do_jobs_of(jobs, queues, concurrency), name=f"jobs {queues[0]}")


async def _do_jobs_of(jobs: App, queues: Sequence[LaneKind], concurrency: int) -> None:
    await jobs.run_worker_async(
        name=f"{instance_name()} {queues[0]}",
        queues=list(queues),
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        shutdown_graceful_timeout=_GRACE_SECONDS,
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_SECONDS,
    )


async def _watch(assistant: Assistant, gate: AssistantGate, upkeep: Upkeep) -> None:
    if await gate.look(assistant):
        _LOGGER.info("the assistant answers")
        await upkeep.wake_forgotten(timedelta())


async def _embed(knowledge: Knowledge) -> None:
    try:
        while await knowledge.embed_pending(_EMBED_BATCH):
            pass
    except EmbedderUnavailable as error:
        _LOGGER.warning("passages wait for their vectors: %s", error)


async def _learn(knowledge: Knowledge) -> None:
    try:
        if await knowledge.learn_offers(
            pause_seconds=_LEARN_PAUSE_SECONDS, retry_seconds=_LEARN_RETRY_SECONDS
        ):
            _LOGGER.info("learned from the articles' own questions when to offer articles")
    except EmbedderUnavailable as error:
        _LOGGER.warning("not learned when to offer articles: %s", error)


async def _every(seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
    """Do `duty` again and again; where the database is away, wait and try again."""
    while True:
        try:
            await duty()
        except StorageUnavailable as error:
            _LOGGER.warning("%s; trying again", error)
        await asyncio.sleep(seconds)
