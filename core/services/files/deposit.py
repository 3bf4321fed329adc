"""Files that are handed in before it is said what they belong to; each is looked at at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.domain.errors import InvalidInput, TooLarge
from core.domain.files import FileRefusal, KeptFile, Refused, plain_name
from core.ports import FileStore
from core.services.files.vault import Vault

_NOT_TAKEN = {
    FileRefusal.EMPTY: "the file is empty",
    FileRefusal.DISGUISED: "the file is not what its name says",
    FileRefusal.EXECUTABLE: "programs and scripts cannot be sent",
    FileRefusal.ARCHIVE_BOMB: "the archive unpacks to far too much",
    FileRefusal.DAMAGED_ARCHIVE: "the archive is damaged",
    FileRefusal.ACTIVE_PICTURE: "the picture holds scripts or loads from elsewhere",
    FileRefusal.HUGE_PICTURE: "the picture has too many pixels",
    FileRefusal.INFECTED: "the file holds a virus",
}


class Deposit:
    """Implements `core.ports.FileDeposit`."""

    def __init__(self, vault: Vault, store: FileStore) -> None:
        self._vault = vault
        self._store = store

    @property
    def max_bytes(self) -> int:
        """See `core.ports.FileDeposit.max_bytes`."""
        return self._vault.rules.max_bytes

    async def leave(self, pieces: AsyncIterator[bytes], *, name: str, media_type: str) -> KeptFile:
        """See `core.ports.FileDeposit.leave`."""
        kept = await self._vault.keep(pieces, name=name, announced=media_type)
        if isinstance(kept, Refused):
            if kept.reason == FileRefusal.TOO_LARGE:
                raise TooLarge("the file is too large")
            raise InvalidInput(_NOT_TAKEN[kept.reason])
        return KeptFile(
            name=plain_name(name),
            media_type=kept.media_type,
            size_bytes=kept.size_bytes,
            blob_key=kept.blob_key,
        )

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """See `core.ports.FileDeposit.stream`."""
        return self._store.stream(key)
