"""Who looks at a conversation and who is writing in it: told as it happens, kept for seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AgentId, ConversationId
from core.services.writing.drafts import DraftKind
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import tell_of_visit
from core.storage.tables import AgentRow, Visit

SEEN_FOR = timedelta(seconds=50)
"""How long a visit holds that is not renewed; pages renew theirs every 20 seconds."""

TYPED_FOR = timedelta(seconds=10)
"""How long somebody counts as writing after the last word; pages say it every 4 seconds."""

_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A colleague who looks at a conversation."""

    agent: AgentId
    name: str
    typing: DraftKind | None


class Visits:
    """Notes who is where; live pages hear of what changes with the commit."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def come(
        self, agent: AgentId, conversation: ConversationId, typing: DraftKind | None
    ) -> Sequence[Visitor]:
        """Note that `agent` looks at a conversation, and writes in it; return who else does."""
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            before = await session.get(Visit, (conversation, agent))
            was = None if before is None else _typing(before, now)
            is_new = before is None or before.seen_at < now - SEEN_FOR
            values = {"seen_at": now, "typing": typing, "typed_at": now if typing else None}
            await session.execute(
                upsert(Visit)
                .values(conversation_id=conversation, agent_id=agent, **values)
                .on_conflict_do_update(index_elements=["conversation_id", "agent_id"], set_=values)
            )
            if is_new or was != typing:
                await tell_of_visit(session, conversation)
            return await _visitors(session, conversation, agent, now)

    async def leave(self, agent: AgentId, conversation: ConversationId) -> None:
        """Note that `agent` does not look at a conversation any more."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(Visit).where(Visit.conversation_id == conversation, Visit.agent_id == agent)
            )
            await tell_of_visit(session, conversation)

    async def forget_old(self) -> None:
        """Forget visits that are long over."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(Visit).where(Visit.seen_at < self._now() - _KEPT))


async def _visitors(
    session: AsyncSession, conversation: ConversationId, besides: AgentId, now: datetime
) -> Sequence[Visitor]:
    rows = await session.execute(
        select(Visit, AgentRow.name)
        .join(AgentRow, AgentRow.id == Visit.agent_id)
        .where(
            Visit.conversation_id == conversation,
            Visit.agent_id != besides,
            Visit.seen_at > now - SEEN_FOR,
        )
        .order_by(AgentRow.name, AgentRow.id)
    )
    return [
        Visitor(agent=AgentId(visit.agent_id), name=name, typing=_typing(visit, now))
        for visit, name in rows
    ]


def _typing(visit: Visit, now: datetime) -> DraftKind | None:
    if visit.typing is None or visit.typed_at is None or visit.typed_at < now - TYPED_FOR:
        return None
    return DraftKind(visit.typing)
