"""Where files are kept, and who looks into them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from core.domain.files import KeptFile


class BlobStore(Protocol):
    """Keeps bytes that are too large or too seldom read for the database."""

    async def put(self, key: str, content: bytes) -> None:
        """Store `content` under `key`; durable on return."""

    async def get(self, key: str) -> bytes:
        """Return what `key` holds.

        Raises:
            NotFound: nothing is stored there.
        """


class FileStore(BlobStore, Protocol):
    """A blob store that takes and gives large files without holding them in memory."""

    async def put_file(self, key: str, path: Path) -> None:
        """Store the file at `path` under `key`; durable on return."""

    async def delete(self, key: str) -> None:
        """Delete what `key` holds; nothing is stored there afterwards, also if nothing was."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield what `key` holds, piece by piece.

        Raises:
            NotFound: nothing is stored there; before the first piece.
        """


class FileDeposit(Protocol):
    """Takes files in before the message that brings them, and looks into each at once."""

    @property
    def max_bytes(self) -> int:
        """Return the size of the largest file that is taken in."""

    async def leave(self, pieces: AsyncIterator[bytes], *, name: str, media_type: str) -> KeptFile:
        """Keep a file that its sender calls `name` and says is a `media_type`.

        It is kept for a day; what refers to it by then keeps it longer.

        Raises:
            TooLarge: it is larger than the desk takes.
            InvalidInput: it is not taken; the message says why.
            ScannerUnavailable, StorageUnavailable: not now; nothing was kept.
        """

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield what was left, piece by piece.

        Raises:
            NotFound: it is not there any more; before the first piece.
        """


class VirusScanner(Protocol):
    """Knows known viruses."""

    async def is_ready(self) -> bool:
        """Say whether a scan would be done now."""

    async def scan(self, path: Path) -> str | None:
        """Return the name of the virus in the file at `path`, or None.

        Raises:
            ScannerUnavailable: try again later.
            TooLarge: it takes no file of this size.
        """
