"""Which surveys something is to be done about."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Satisfaction

_BATCH = 100


async def due_surveys(
    sessions: Sessions,
    about: InstrumentedAttribute[UUID | None],
    setbacks: Setbacks,
    now: datetime,
) -> list[tuple[UUID, UUID]]:
    """Return those due at `now`, each with what it is about, the longest due first.

    `about` is the column of that; what was set aside is left out. At most a hundred at once.
    """
    async with storage_errors(), sessions() as session:
        found = await session.execute(
            select(Satisfaction.id, about)
            .where(Satisfaction.due_at <= now, about.is_not(None), setbacks.is_free(about))
            .order_by(Satisfaction.due_at)
            .limit(_BATCH)
        )
        return [(survey, what) for survey, what in found if what is not None]
