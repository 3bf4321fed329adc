"""Reads the files of messages, and the letters they came in; forgets what was never sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.domain.files import FileState
from core.storage.tables import Attachment, Draft, HeldReply, Message, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file of a message. Its media type is what its content shows, once it is fetched."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int | None
    state: FileState
    detail: str | None  # why it waits, was refused or failed
    is_inline: bool
    content_id: str | None
    removed_at: datetime | None
    blob_key: str | None


async def file_view(session: AsyncSession, attachment: UUID) -> FileView:
    """Return one file.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(Attachment, attachment)
    if row is None:
        raise NotFound("there is no such file")
    return _file(row)


async def letter_of(session: AsyncSession, message: UUID) -> tuple[str, list[FileView]]:
    """Return the laid-out form of a message, and its files.

    Raises:
        NotFound: there is no such message, or it was not laid out.
    """
    html = await session.scalar(select(Message.html).where(Message.id == message))
    if html is None:
        raise NotFound("there is no such letter")
    return html, (await files_of(session, [message])).get(message, [])


async def files_of(session: AsyncSession, messages: Sequence[UUID]) -> dict[UUID, list[FileView]]:
    """Return the files of each of these messages, in their order."""
    if not messages:
        return {}
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.message_id.in_(messages))
        .order_by(Attachment.message_id, Attachment.position)
    )
    found: dict[UUID, list[FileView]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(_file(row))
    return found


def _file(row: Attachment) -> FileView:
    return FileView(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        state=FileState(row.status),
        detail=row.detail,
        is_inline=row.is_inline,
        content_id=row.content_id,
        removed_at=row.removed_at,
        blob_key=row.blob_key,
    )


async def forget_uploads(session: AsyncSession, before: datetime) -> None:
    """Forget what agents handed in before then; messages that have the files keep them.

    What waits in a draft, or in a reply that has not left, is kept with it.
    """
    name = cast(Upload.id, Text)
    await session.execute(
        delete(Upload).where(
            Upload.created_at < before,
            ~exists().where(Draft.files.has_key(name)),
            ~exists().where(HeldReply.files.has_key(name)),
        )
    )
