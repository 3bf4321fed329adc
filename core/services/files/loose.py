"""Blobs that nothing may refer to: kept while they are new, deleted once nothing does.

Equal files are one blob, so none is deleted because one of those that refer to it is gone. Whoever
is about to store a blob holds it first; what was held a day ago and is not referred to goes. Its
going is marked and committed before the store is asked, and who wants to hold it meanwhile waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, delete, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import StorageUnavailable
from core.domain.files import FileState
from core.ports import FileStore
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, Attachment, LooseBlob, Upload

_KEPT = timedelta(days=1)
"""How long a blob is held. Whoever stored it has to have referred to it by then."""

_GONE_WITHIN = timedelta(minutes=10)
"""After this, whoever marked a blob as going is taken for dead."""

_STORE_SECONDS = 120.0  # for deleting a batch; far less than `_GONE_WITHIN`
_BATCH = 100
_WAIT_SECONDS = 20.0
_LOOK_SECONDS = 0.25


class LooseBlobs:
    """Knows which blobs were stored lately, and deletes those that nothing came to refer to."""

    def __init__(
        self,
        sessions: Sessions,
        store: FileStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._now = now

    async def hold(self, key: str) -> None:
        """See that `key` is not deleted for a day; call it before the blob is stored.

        Raises:
            StorageUnavailable: it is being deleted, and that does not end.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + _WAIT_SECONDS
        while not await self._try_to_hold(key):
            if loop.time() > end:
                raise StorageUnavailable("an equal file is being deleted")
            await asyncio.sleep(_LOOK_SECONDS)

    async def delete_forgotten(self) -> int:
        """Delete what was held long ago and is not referred to; return how many that were.

        Raises:
            StorageUnavailable: what is left goes another time.
        """
        deleted = 0
        while True:
            marked_at = self._now()
            async with storage_errors(), self._sessions.begin() as session:
                looked_at, going = await self._mark(session, marked_at)
            await self._delete(going)
            async with storage_errors(), self._sessions.begin() as session:
                await session.execute(
                    delete(LooseBlob).where(
                        LooseBlob.key.in_(going),
                        LooseBlob.is_going,
                        LooseBlob.since == marked_at,
                    )
                )
            deleted += len(going)
            if looked_at < _BATCH:
                return deleted

    async def _delete(self, keys: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                for key in keys:
                    await self._store.delete(key)
        except TimeoutError as error:
            raise StorageUnavailable("the blob store takes too long to delete files") from error

    async def _try_to_hold(self, key: str) -> bool:
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            held = await session.scalar(
                upsert(LooseBlob)
                .values(key=key, since=now, is_going=False)
                .on_conflict_do_update(
                    index_elements=["key"],
                    set_={"since": now, "is_going": False},
                    where=or_(~LooseBlob.is_going, LooseBlob.since < now - _GONE_WITHIN),
                )
                .returning(LooseBlob.key)
            )
        return held is not None

    async def _mark(self, session: AsyncSession, now: datetime) -> tuple[int, Sequence[str]]:
        """Return how many were looked at, and those that go; forget those that are in use."""
        found = await session.scalars(
            select(LooseBlob.key)
            .where(
                or_(
                    ~LooseBlob.is_going & (LooseBlob.since < now - _KEPT),
                    LooseBlob.is_going & (LooseBlob.since < now - _GONE_WITHIN),
                )
            )
            .order_by(LooseBlob.since)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        keys = found.all()
        if not keys:
            return 0, ()
        used = {name for (name,) in await session.execute(union(*_uses(keys)))}
        await session.execute(delete(LooseBlob).where(LooseBlob.key.in_(used)))
        going = [key for key in keys if key not in used]
        await session.execute(
            update(LooseBlob).where(LooseBlob.key.in_(going)).values(is_going=True, since=now)
        )
        return len(keys), going


async def let_go(session: AsyncSession, key: str, now: datetime) -> None:
    """Note in the caller's transaction that something does not refer to `key` any more."""
    await session.execute(
        upsert(LooseBlob).values(key=key, since=now, is_going=False).on_conflict_do_nothing()
    )


def _uses(keys: Sequence[str]) -> Sequence[Select[str | None]]:
    """Return what finds those of `keys` that something refers to, wherever that can be."""
    columns = (Attachment.blob_key, Upload.blob_key, AgentRow.picture_blob)
    waiting = select(Attachment.remote).where(
        Attachment.status == FileState.WAITING, Attachment.remote.in_(keys)
    )  # what requesters left, in a message whose files have not been looked at yet
    return [*(select(column).where(column.in_(keys)) for column in columns), waiting]
