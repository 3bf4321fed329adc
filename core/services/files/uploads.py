"""Files that agents hand in, to be sent with what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.channel import Capabilities
from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.files import KeptFile
from core.domain.ids import AgentId, UploadId, new_id
from core.ports import FileDeposit
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Upload

MOST_FILES = 20
"""In one message, whatever the channel takes."""


class Uploads:
    """Keeps what agents hand in until it is sent, for a day, or as long as a draft has it."""

    def __init__(
        self,
        sessions: Sessions,
        deposit: FileDeposit,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._deposit = deposit
        self._now = now

    @property
    def max_bytes(self) -> int:
        """Return the size of the largest file that is taken in."""
        return self._deposit.max_bytes

    async def keep(
        self, agent: Agent, pieces: AsyncIterator[bytes], *, name: str, media_type: str
    ) -> tuple[UploadId, KeptFile]:
        """Take a file in; return the id under which it can be sent, and what it is.

        Raises:
            TooLarge: it is larger than the desk takes.
            InvalidInput: it may not be sent; the message says why.
            ScannerUnavailable: it cannot be looked at now.
        """
        file = await self._deposit.leave(pieces, name=name, media_type=media_type)
        upload = UploadId(new_id())
        async with storage_errors(), self._sessions.begin() as session:
            session.add(
                Upload(
                    id=upload,
                    agent_id=agent.id,
                    name=file.name,
                    media_type=file.media_type,
                    size_bytes=file.size_bytes,
                    blob_key=file.blob_key,
                    created_at=self._now(),
                )
            )
        return upload, file


async def handed_in(
    session: AsyncSession, agent: AgentId, uploads: Sequence[UploadId]
) -> Sequence[KeptFile]:
    """Return the files that `agent` handed in under these ids, in their order.

    Raises:
        NotFound: one of them is not there, or was handed in by somebody else.
    """
    if not uploads:
        return ()
    if len(uploads) > MOST_FILES:
        raise InvalidInput(f"a message has {MOST_FILES} files at most")
    rows = await session.scalars(
        # Locked: while it is here, what forgets uploads and their files waits.
        select(Upload)
        .where(Upload.id.in_(uploads), Upload.agent_id == agent)
        .with_for_update(read=True)
    )
    found: dict[UUID, KeptFile] = {
        row.id: KeptFile(
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            blob_key=row.blob_key,
        )
        for row in rows
    }
    try:
        return [found[upload] for upload in uploads]
    except KeyError:
        raise NotFound("a file is not there any more: attach it again") from None


def check_fit(files: Sequence[KeptFile], channel: Capabilities | None) -> None:
    """Refuse files that the channel would not take.

    Raises:
        InvalidInput: there are too many, or the channel takes none.
        TooLarge: one of them is too large.
    """
    if not files:
        return
    if channel is None or channel.max_files == 0:
        raise InvalidInput("this channel takes no files")
    if len(files) > min(channel.max_files, MOST_FILES):
        raise InvalidInput("these are more files than the channel takes in one message")
    if channel.max_file_bytes and any(f.size_bytes > channel.max_file_bytes for f in files):
        raise TooLarge("a file is larger than the channel takes")
