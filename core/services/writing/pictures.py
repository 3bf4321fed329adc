"""Agents' pictures: what platforms show beside their words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.files import KeptFile, Refused
from core.domain.ids import AgentId
from core.services.files.loose import let_go
from core.services.files.redrawing import redrawn
from core.services.files.vault import Vault
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.agents import picture_version
from core.storage.tables import AgentRow

MAX_PICTURE_BYTES = 512 * 1024
_SIDE_PIXELS = 512  # the most that platforms show beside a name


class AgentPictures:
    """Keeps one picture an agent."""

    def __init__(self, sessions: Sessions, vault: Vault) -> None:
        self._sessions = sessions
        self._vault = vault
        self._drawing = asyncio.Semaphore(1)  # each may take 80 MB

    async def set(self, agent: AgentId, content: bytes) -> None:
        """Show `content` beside what `agent` says from now on.

        Everybody may look at it, so it is drawn anew: what a camera wrote into the file, such as
        where it was, is not kept.

        Raises:
            TooLarge: it is more than half a megabyte, or has too many pixels.
            InvalidInput: it is no picture that may be kept.
            ScannerUnavailable: it cannot be looked at now.
        """
        if len(content) > MAX_PICTURE_BYTES:
            raise TooLarge("a picture may have 512 KB at most")
        async with self._drawing:
            drawn = await asyncio.to_thread(redrawn, content, _SIDE_PIXELS)

        async def pieces() -> AsyncIterator[bytes]:
            yield drawn.content

        kept = await self._vault.keep(pieces(), name="picture", announced=drawn.media_type)
        if isinstance(kept, Refused):
            raise InvalidInput("a picture is a PNG, JPEG, GIF or WebP file")
        await self._write(agent, kept.blob_key, drawn.media_type)

    async def clear(self, agent: AgentId) -> None:
        """Show no picture any more."""
        await self._write(agent, None, None)

    async def get(self, agent: UUID, version: str) -> KeptFile:
        """Return the picture of `agent` at the address that messages name.

        Raises:
            NotFound: there is none, or another by now.
        """
        async with storage_errors(), self._sessions() as session:
            row = await session.get(AgentRow, agent)
        if row is None or row.picture_blob is None or row.picture_type is None:
            raise NotFound("there is no such picture")
        if picture_version(row.picture_blob) != version:
            raise NotFound("there is no such picture")
        return KeptFile(
            name="picture", media_type=row.picture_type, size_bytes=0, blob_key=row.picture_blob
        )

    async def _write(self, agent: AgentId, blob: str | None, media_type: str | None) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get_one(AgentRow, agent, with_for_update=True)
            if row.picture_blob is not None:
                await let_go(session, row.picture_blob, datetime.now(UTC))
            row.picture_blob, row.picture_type = blob, media_type
