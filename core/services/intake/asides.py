"""Payloads that may turn out to be meant for the desk: kept for some minutes, then forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.domain.ids import AccountId
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import PayloadAside

KEPT = timedelta(minutes=10)
"""Long enough for a platform to tell the rest again after an outage. What was not meant for the
desk is kept no longer."""


class Asides:
    """What is set aside."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def keep(self, account: AccountId, subject: str, key: str, raw: bytes) -> None:
        """See `core.ports.Inbox.set_aside`."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                upsert(PayloadAside)
                .values(
                    account_id=account, key=key, subject=subject, raw=raw, received_at=self._now()
                )
                .on_conflict_do_nothing()
            )

    async def of(self, account: AccountId, subject: str) -> Sequence[bytes]:
        """See `core.ports.Inbox.set_aside_of`."""
        async with storage_errors(), self._sessions() as session:
            found = await session.scalars(
                select(PayloadAside.raw)
                .where(PayloadAside.account_id == account, PayloadAside.subject == subject)
                .order_by(PayloadAside.received_at, PayloadAside.key)
            )
            return found.all()

    async def forget_due(self) -> None:
        """Delete what has waited for `KEPT`."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(PayloadAside)
                .where(PayloadAside.received_at < self._now() - KEPT)
                .execution_options(synchronize_session=False)
            )
