"""Reads the feed in commit order, without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.storage.tables import FeedEntry

_SETTLED: ColumnElement[int] = literal_column(
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
)
"""Transactions below this one have all ended: nothing can appear among their entries any more."""


@dataclass(frozen=True, slots=True, order=True)
class FeedPosition:
    """How far a reader has read; its text form is an SSE event id."""

    xid: int
    id: UUID

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"

    @classmethod
    def parse(cls, words: str) -> FeedPosition:
        """Return the position that `words` name, or raise `InvalidInput`."""
        xid, _, entry = words.partition("-")
        try:
            position = cls(int(xid), UUID(entry))
        except ValueError:
            raise InvalidInput("not a position in the feed") from None
        if not 0 <= position.xid < 2**63:
            raise InvalidInput("not a position in the feed")
        return position


async def feed_end(session: AsyncSession) -> FeedPosition:
    """Return the position after everything that has settled: where a fresh page begins."""
    xid = await session.scalar(select(_SETTLED))
    return FeedPosition(int(xid or 0) - 1, UUID(int=(1 << 128) - 1))


async def read_feed(
    session: AsyncSession, after: FeedPosition, limit: int = 500
) -> Sequence[FeedEntry]:
    """Return settled entries after `after`, in order."""
    rows = await session.scalars(
        select(FeedEntry)
        .where(tuple_(FeedEntry.xid, FeedEntry.id) > (after.xid, after.id))
        .where(FeedEntry.xid < _SETTLED)
        .order_by(FeedEntry.xid, FeedEntry.id)
        .limit(limit)
    )
    return rows.all()


async def prune_feed(session: AsyncSession, before: datetime) -> None:
    """Forget entries from before `before`."""
    await session.execute(delete(FeedEntry).where(FeedEntry.at < before))


def position_of(entry: FeedEntry) -> FeedPosition:
    """Return the position just after `entry`."""
    return FeedPosition(entry.xid, entry.id)
