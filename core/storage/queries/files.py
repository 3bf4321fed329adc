"""Forgets files that were handed in and never sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.tables import Upload


async def forget_uploads(session: AsyncSession, before: datetime) -> None:
    """Forget what agents handed in before then; messages that have the files keep them."""
    await session.execute(delete(Upload).where(Upload.created_at < before))
