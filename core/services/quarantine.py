"""What admins do with payloads that could not be understood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from core.domain.errors import NotFound
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Quarantined


class Quarantine:
    """Settles quarantined payloads."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def discard(self, item: UUID) -> None:
        """Take a payload off the list; the bytes stay in the blob store. Twice is no error."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(Quarantined, item, with_for_update=True)
            if row is None:
                raise NotFound("there is no such payload")
            if row.settled_at is None:
                row.settled_at, row.settled_as = self._now(), "discarded"
