"""What the desk does by the clock: one sweep a second over indexed due times."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from procrastinate import App
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy import text

from core.domain.errors import StorageUnavailable
from core.domain.ids import ConversationId
from core.domain.setbacks import Chore
from core.runtime.lanes.turns import AssistantGate
from core.services.access.access import Access
from core.services.files.loose import LooseBlobs
from core.services.intake.early_events import EarlyEvents
from core.services.setbacks import Setbacks, WholeDuties
from core.services.turns.turns import Turns
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.feed import prune_feed
from core.storage.queries.files import forget_uploads
from core.storage.queries.lanes import (
    beat,
    forget_beat,
    forget_beats,
    forgotten_lanes,
    server_start,
)
from core.storage.wakeups import LaneKind, wake

_LOGGER = logging.getLogger(__name__)
_LOCK = 0x73_77_65_65_70  # "sweep": only one process does it at a time
_FEED_KEPT = timedelta(days=1)
_UPLOADS_KEPT = timedelta(days=1)
_BEATS_KEPT = timedelta(minutes=10)
_PATIENCE = timedelta(seconds=1)

ASSISTANT = "assistant"
"""The kind of beat that says that a worker saw the assistant answer."""

HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 8.0
"""A worker not heard of for this long is taken for dead, and its lanes are given to others."""


Duty = Callable[[], Awaitable[object]]
"""Does what is due by the clock, a bounded part of it; several workers may do it at once."""


class ServerRestarted(Exception):
    """The database server went down and came back under a running worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The periodic duties of a worker."""

    sessions: Sessions
    jobs: App
    gate: AssistantGate
    turns: Turns
    early: EarlyEvents
    duties: Sequence[Duty]  # further things that fall due, each looked at once a second
    tidying: Sequence[Duty]  # further things to forget, each once an hour
    access: Access
    loose: LooseBlobs
    instance: str
    server_started: datetime
    whole: WholeDuties

    async def note_life(self) -> None:
        """Tell the others that this worker lives.

        Raises:
            ServerRestarted: the database server is not the one that this worker began with. The
                end of some of its jobs may be lost, and as long as it lives nobody would take
                them for stalled: it must end and begin afresh.
        """
        async with storage_errors(), self.sessions.begin() as session:
            await beat(session, "worker", self.instance)
            if self.gate.is_up:
                await beat(session, ASSISTANT, ASSISTANT)
            if await server_start(session) != self.server_started:
                raise ServerRestarted("the database server was restarted; beginning afresh")

    async def note_orderly_stop(self) -> None:
        """Let the next start give the assistant time to load."""
        async with storage_errors(), self.sessions.begin() as session:
            await forget_beat(session, ASSISTANT)

    async def sweep(self) -> None:
        """Look once for work that is due by the clock."""
        if not (self.gate.is_up or self.gate.is_starting):
            giving_up = Setbacks(self.sessions, Chore.GIVING_UP)
            overdue = await self.turns.overdue(is_free=giving_up.is_free)
            await giving_up.each(overdue, self._give_up)
        await self.wake_forgotten(_PATIENCE)
        for duty in (self.early.apply_due, *self.duties):
            await self.whole.do(duty)

    async def _give_up(self, conversation: ConversationId) -> None:
        if await self.turns.give_up(conversation, "the assistant is not available"):
            _LOGGER.warning(
                "conversation %s waits for a human: the assistant is away", conversation
            )

    async def wake_forgotten(self, patience: timedelta) -> None:
        """Wake lanes whose work has been due for `patience` and that nobody looks at."""
        kinds: Sequence[LaneKind] = [
            LaneKind.DELIVERIES,
            LaneKind.PEOPLE,
            LaneKind.FILES,
            LaneKind.REACTIONS,
        ]
        if self.gate.is_up:
            kinds = [*kinds, LaneKind.TURNS]
        async with storage_errors(), self.sessions.begin() as session:
            if await session.scalar(
                text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            ):
                before = datetime.now(UTC) - patience
                await wake(session, await forgotten_lanes(session, kinds, before))

    async def revive_stalled(self) -> None:
        """Give the jobs of dead workers to the living."""
        manager = self.jobs.job_manager
        try:
            stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
        except ConnectorException as error:
            raise StorageUnavailable("the job queue cannot be reached") from error
        for job in stalled:
            _LOGGER.warning("job %s of lane %s stalled", job.id, job.lock)
            # Every worker does this. One that comes second is refused, and must leave the job
            # alone: it waits again, or somebody is doing it.
            with suppress(ConnectorException):
                try:
                    await manager.retry_job(job)
                except UniqueViolation:
                    # Another job waits for this lane already and will do its work.
                    await manager.finish_job(job, status=Status.FAILED, delete_job=True)

    async def tidy(self) -> None:
        """Forget what nobody will read again."""
        async with storage_errors(), self.sessions.begin() as session:
            await prune_feed(session, datetime.now(UTC) - _FEED_KEPT)
            await forget_beats(session, _BEATS_KEPT)
            await forget_uploads(session, datetime.now(UTC) - _UPLOADS_KEPT)
        await self.early.apply_all()
        await self.early.forget_old()
        await self.access.forget_expired()
        for duty in (*self.tidying, self.whole.forget_old):
            await self.whole.do(duty)
        await self.loose.delete_forgotten()
