"""Where bytes go that may be kept: measured while they come, looked at, and then stored."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import StorageUnavailable, TooLarge
from core.domain.files import FileRefusal, Refused
from core.ports import FileStore, VirusScanner
from core.services.files.inspection import InspectionRules, inspect
from core.services.files.loose import LooseBlobs

_FORGOTTEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file is in the blob store."""

    blob_key: str
    media_type: str
    size_bytes: int


class Vault:
    """Takes files in. Its key of a file is the file's digest, so equal files are kept once."""

    def __init__(
        self,
        store: FileStore,
        rules: InspectionRules,
        folder: Path,
        loose: LooseBlobs,
        scanner: VirusScanner | None = None,
    ) -> None:
        self._store = store
        self._loose = loose
        self.rules = rules
        self._folder = folder
        self._scanner = scanner

    async def is_ready(self) -> bool:
        """Say whether files would be looked at now; nothing should be fetched before."""
        return self._scanner is None or await self._scanner.is_ready()

    async def keep(
        self, pieces: AsyncIterator[bytes], *, name: str, announced: str
    ) -> Kept | Refused:
        """Take in a file that its sender calls `name` and says is an `announced`.

        It is kept for a day; who wants it longer refers to it by then.

        Raises:
            ScannerUnavailable: nothing was kept.
            StorageUnavailable: nothing was kept.
        Whatever `pieces` raises is passed on.
        """
        path = await asyncio.to_thread(self._new_file)
        try:
            digest = await self._write(pieces, path)
            if digest is None:
                return Refused(reason=FileRefusal.TOO_LARGE)
            return await self._judge(path, digest, name, announced)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _judge(self, path: Path, digest: str, name: str, announced: str) -> Kept | Refused:
        verdict = await asyncio.to_thread(
            inspect, path, name=name, announced=announced, rules=self.rules
        )
        if isinstance(verdict, Refused):
            return verdict
        if self._scanner is not None:
            try:
                virus = await self._scanner.scan(path)
            except TooLarge as error:
                return Refused(reason=FileRefusal.TOO_LARGE, detail=str(error))
            if virus is not None:
                return Refused(reason=FileRefusal.INFECTED, detail=virus)
        key = f"files/{digest[:2]}/{digest}"
        await self._loose.hold(key)
        await self._store.put_file(key, path)
        size = (await asyncio.to_thread(path.stat)).st_size
        return Kept(blob_key=key, media_type=verdict.media_type, size_bytes=size)

    async def _write(self, pieces: AsyncIterator[bytes], path: Path) -> str | None:
        """Write `pieces` to `path`; return their digest, or None where they are too many."""
        digest, size = hashlib.sha256(), 0
        file = await asyncio.to_thread(path.open, "wb")
        try:
            async for piece in pieces:
                size += len(piece)
                if size > self.rules.max_bytes:
                    return None
                digest.update(piece)
                try:
                    await asyncio.to_thread(file.write, piece)
                except OSError as error:
                    raise StorageUnavailable("there is no room for files") from error
        finally:
            await asyncio.to_thread(file.close)
        return digest.hexdigest()

    def _new_file(self) -> Path:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                return Path(file.name)
        except OSError as error:
            raise StorageUnavailable("there is no room for files") from error

    def sweep(self) -> None:
        """Delete what processes that were killed left half-written."""
        oldest = time.time() - _FORGOTTEN_SECONDS
        for path in self._folder.glob("tmp*"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
