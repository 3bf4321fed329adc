"""Turns that a transaction asks of the assistant, and when each is to begin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ConversationId, new_id
from core.storage.tables import Conversation, Turn

_ALBUM_PAUSE = timedelta(seconds=1.5)
_LONGEST_ALBUM_PAUSE = timedelta(seconds=5)
_WAITING = text("status = 'waiting' AND first_seq IS NULL")


class WantedTurns:
    """Gathers at most one turn per conversation; it joins one that has not begun."""

    def __init__(self) -> None:
        self._turns: dict[ConversationId, dict[str, Any]] = {}
        self._albums: dict[ConversationId, dict[str, Any]] = {}

    def __bool__(self) -> bool:
        """Say whether any are gathered."""
        return bool(self._turns)

    def add(self, conversation: Conversation, now: datetime, *, more_may_follow: bool) -> None:
        """Want a turn: at once, or, of an album, a moment after its last part."""
        name = ConversationId(conversation.id)
        self._turns[name] = {
            "id": new_id(),
            "conversation_id": name,
            "episode": conversation.episode,
        }
        if more_may_follow:
            self._albums[name] = {"created_at": now, "available_at": now + _ALBUM_PAUSE}

    async def write(self, session: AsyncSession) -> None:
        """Write what was gathered, once."""
        at_once = [turn for name, turn in self._turns.items() if name not in self._albums]
        if at_once:
            await session.execute(
                upsert(Turn).on_conflict_do_nothing(
                    index_elements=[Turn.conversation_id], index_where=_WAITING
                ),
                at_once,
            )
        if self._albums:
            added = upsert(Turn)
            latest = Turn.created_at + _LONGEST_ALBUM_PAUSE
            await session.execute(
                added.on_conflict_do_update(
                    index_elements=[Turn.conversation_id],
                    index_where=_WAITING,
                    set_={"available_at": func.least(added.excluded.available_at, latest)},
                ),
                [self._turns[name] | times for name, times in self._albums.items()],
            )
        self._turns, self._albums = {}, {}
