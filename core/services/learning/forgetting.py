"""Forgets what requesters said: at once what they took back, all of it after a time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.topics import TopicKind
from core.services.learning.grouping import LOCK, forget_empty, rename
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Message, TopicItem, Turn, TurnRecord

_AT_ONCE = 1_000


async def forget_words(session: AsyncSession, messages: Collection[UUID]) -> None:
    """Blank the records of turns that read one of `messages`, and take them out of their topics."""
    turns = (
        await session.scalars(
            select(TurnRecord.turn_id)
            .join(Turn, Turn.id == TurnRecord.turn_id)
            .join(Message, Message.conversation_id == Turn.conversation_id)
            .where(Message.id.in_(messages), Message.seq.between(Turn.first_seq, Turn.last_seq))
        )
    ).all()
    if not turns:
        return
    await session.execute(
        update(TurnRecord)
        .where(TurnRecord.turn_id.in_(turns))
        .values(text="", question="", mentions=[], look_ups=[], is_missed=False)
    )
    topics = await session.scalars(
        delete(TopicItem).where(TopicItem.id.in_(turns)).returning(TopicItem.topic_id)
    )
    touched = sorted({topic for topic in topics if topic is not None})
    if touched:
        await session.execute(LOCK)
        await forget_empty(session, touched)
        await rename(session, TopicKind.QUESTION, touched)


class TurnForgetting:
    """A duty: deletes records of turns after a time, a bounded part of them."""

    def __init__(
        self,
        sessions: Sessions,
        days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._kept = timedelta(days=days)
        self._now = now

    async def forget_old(self) -> int:
        """Delete the oldest records past their time; return how many."""
        async with storage_errors(), self._sessions.begin() as session:
            old = (
                select(TurnRecord.turn_id)
                .where(TurnRecord.at < self._now() - self._kept)
                .order_by(TurnRecord.at)
                .limit(_AT_ONCE)
            )
            gone = await session.scalars(
                delete(TurnRecord).where(TurnRecord.turn_id.in_(old)).returning(TurnRecord.turn_id)
            )
            return len(gone.all())
