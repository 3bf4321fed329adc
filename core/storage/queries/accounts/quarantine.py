"""Reads payloads that could not be understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.storage.tables import Quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineView:
    """A payload that waits for an admin."""

    id: UUID
    account: str
    reason: str
    raw_blob: str
    received_at: datetime
    settled_as: str | None


async def open_quarantine(session: AsyncSession, limit: int = 200) -> Sequence[QuarantineView]:
    """Return payloads that nobody has settled, newest first."""
    rows = await session.scalars(
        select(Quarantined)
        .where(Quarantined.settled_at.is_(None))
        .order_by(Quarantined.id.desc())
        .limit(limit)
    )
    return [_view(row) for row in rows]


async def quarantined(session: AsyncSession, item: UUID) -> QuarantineView:
    """Return one payload's entry.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(Quarantined, item)
    if row is None:
        raise NotFound("there is no such payload")
    return _view(row)


def _view(row: Quarantined) -> QuarantineView:
    return QuarantineView(
        id=row.id,
        account=row.account_id,
        reason=row.reason,
        raw_blob=row.raw_blob,
        received_at=row.received_at,
        settled_as=row.settled_as,
    )
