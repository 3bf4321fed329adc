"""Wake-ups for lanes: jobs that say "look at this lane", committed with the work they announce."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from procrastinate import PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ConversationId

_jobs = JobManager(PsycopgConnector())  # never opened: every call brings its own connection


class LaneKind(StrEnum):
    """The lanes of a conversation; also the names of their queues."""

    TURNS = "turns"
    DELIVERIES = "deliveries"
    PEOPLE = "people"
    FILES = "files"
    REACTIONS = "reactions"


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """Work of one kind in one conversation, done one item at a time, in order."""

    kind: LaneKind
    conversation: ConversationId

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.conversation}"

    @property
    def task(self) -> str:
        return f"advance_{self.kind}"


async def wake(session: AsyncSession, lanes: Collection[Lane]) -> None:
    """Have a worker look at `lanes` once the session's transaction commits.

    At most one job waits per lane. The caller holds the lock of each lane's conversation, so
    that a waiting job found here cannot read its lane before the caller's work is committed.
    """
    if not lanes:
        return
    by_name = {lane.name: lane for lane in sorted(lanes)}
    waiting = await session.scalars(
        text(
            "SELECT queueing_lock FROM procrastinate_jobs"
            " WHERE queueing_lock = ANY(:names) AND status = 'todo'"
        ),
        {"names": list(by_name)},
    )
    for name in waiting:
        del by_name[name]
    jobs = [_job(lane) for lane in by_name.values()]
    if jobs and not await _defer(session, jobs):
        for job in jobs:
            await _defer(session, [job])


def _job(lane: Lane) -> Job:
    return Job(
        id=None,
        queue=lane.kind,
        lock=lane.name,
        queueing_lock=lane.name,
        task_name=lane.task,
        task_kwargs={"conversation": str(lane.conversation)},
    )


async def _defer(session: AsyncSession, jobs: list[Job]) -> bool:
    """Insert `jobs`, or none of them where one waits already."""
    try:
        async with session.begin_nested():
            # The connection is asked for inside the block on purpose: SQLAlchemy sends the
            # SAVEPOINT when the session touches its connection. Outside it, a unique violation
            # would abort the whole transaction, and its COMMIT would silently roll back.
            connection = await (await session.connection()).get_raw_connection()
            await _jobs.batch_defer_jobs_async(jobs, connection=connection.driver_connection)
    except AlreadyEnqueued:
        return False
    return True
