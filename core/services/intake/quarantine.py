"""What admins do with payloads that could not be understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from core.domain.errors import Conflict, IgnoredPayload, NotFound, UnknownPayload
from core.domain.ids import AccountId
from core.ports import BlobStore, Channel, Inbox, ReadsPayloads
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Quarantined


class Quarantine:
    """Settles quarantined payloads. Settling one twice is no error."""

    def __init__(
        self,
        sessions: Sessions,
        blobs: BlobStore,
        inbox: Inbox,
        channels: Mapping[AccountId, Channel],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._inbox = inbox
        self._channels = channels
        self._now = now

    def can_replay(self, account: str) -> bool:
        """Say whether the account's payloads can be read again."""
        return isinstance(self._channels.get(AccountId(account)), ReadsPayloads)

    async def replay(self, item: UUID) -> None:
        """Have a payload read and stored as if it came now; redelivered events stay what they are.

        One that is understood by now and says nothing to us is settled as ignored.

        Raises:
            NotFound: there is no such payload, or its bytes are gone.
            Conflict: its channel still does not understand it, or cannot read payloads again.
            InvalidInput: it was understood but can never be stored.
        """
        async with storage_errors(), self._sessions() as session:
            row = await session.get(Quarantined, item)
        if row is None:
            raise NotFound("there is no such payload")
        if row.settled_at is not None:
            return
        channel = self._channels.get(AccountId(row.account_id))
        if not isinstance(channel, ReadsPayloads):
            raise Conflict("payloads of this account cannot be read again")
        try:
            events = channel.read(await self._blobs.get(row.raw_blob))
        except IgnoredPayload:
            await self._settle(item, "ignored")
            return
        except UnknownPayload as error:
            raise Conflict(f"it is still not understood: {error}") from error
        await self._inbox.accept(*events)
        await self._settle(item, "replayed")

    async def discard(self, item: UUID) -> None:
        """Take a payload off the list; the bytes stay in the blob store."""
        await self._settle(item, "discarded")

    async def _settle(self, item: UUID, how: str) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(Quarantined, item, with_for_update=True)
            if row is None:
                raise NotFound("there is no such payload")
            if row.settled_at is None:
                row.settled_at, row.settled_as = self._now(), how
