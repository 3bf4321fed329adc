"""Wake-ups for lanes: jobs that say "look at this lane", committed with the work they announce."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ConversationId
from core.storage.signals import signal

# One statement instead of the queue's own call, which reports a job that waits already as an error
# of the transaction, so that each would need a savepoint: this is on the way of every message.
_DEFER = text(
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, priority)"
    " SELECT queue, task, name, name, jsonb_build_object('conversation', conversation), priority"
    " FROM unnest(CAST(:queues AS text[]), CAST(:tasks AS text[]), CAST(:names AS text[]),"
    " CAST(:conversations AS text[]), CAST(:priorities AS int[]))"
    " AS wanted (queue, task, name, conversation, priority)"
    " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
# What the queue's own trigger would say, were it not switched off (see `core.storage.signals`);
# its workers only look which kind of news it is.
_CHANNEL = "procrastinate_queue_v1#{}"
_NEWS = '{"type": "job_inserted"}'

_WAITING = text(
    "SELECT args->>'conversation' FROM procrastinate_jobs"
    " WHERE status = 'todo' AND queue_name = :queue ORDER BY id LIMIT :limit"
)
# One that a worker is just taking is left alone: its holder will find nothing to do.
_LOOK_AFTER = text(
    "DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs"
    " WHERE queueing_lock = ANY(CAST(:names AS text[])) AND status = 'todo'"
    " FOR UPDATE SKIP LOCKED)"
)


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
    def priority(self) -> int:
        """Say what comes first among lanes that workers share: answers, then who asked."""
        return -1 if self.kind == LaneKind.PEOPLE else 0

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
    ordered = sorted(set(lanes))  # so that two callers never wait for each other
    await session.execute(
        _DEFER,
        {
            "queues": [lane.kind for lane in ordered],
            "tasks": [lane.task for lane in ordered],
            "names": [lane.name for lane in ordered],
            "conversations": [str(lane.conversation) for lane in ordered],
            "priorities": [lane.priority for lane in ordered],
        },
    )
    # Also where a job waits already: to ask which were added would be one more answer to wait for.
    kinds = sorted({lane.kind for lane in ordered})
    await signal(session, [(_CHANNEL.format(kind), _NEWS) for kind in kinds])


async def waiting(session: AsyncSession, kind: LaneKind, limit: int) -> list[ConversationId]:
    """Return conversations whose lane of `kind` a worker is to look at, the longest woken first."""
    found = await session.scalars(_WAITING, {"queue": kind, "limit": limit})
    return [ConversationId(UUID(name)) for name in found]


async def look_after(session: AsyncSession, lanes: Collection[Lane]) -> None:
    """Take back the waiting wake-ups of `lanes`: the session's transaction does their work.

    The caller holds the lock of each lane's conversation, and took it before it read the lane; so
    nobody adds to a lane and counts on the wake-up that is taken back here.
    """
    if lanes:
        await session.execute(_LOOK_AFTER, {"names": [lane.name for lane in lanes]})
