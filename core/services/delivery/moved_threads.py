"""Conversations follow their thread where a platform gives it another name."""

from __future__ import annotations

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.ids import ConversationId, ThreadKey
from core.storage.tables import Conversation


async def living_with(session: AsyncSession, conversation: ConversationId) -> set[ConversationId]:
    """Return the others of its thread that go on."""
    here = aliased(Conversation)
    rows = await session.scalars(
        select(Conversation.id)
        .join(
            here,
            (here.account_id == Conversation.account_id) & (here.thread == Conversation.thread),
        )
        .where(here.id == conversation, or_(Conversation.is_current, Conversation.is_beside))
    )
    return {ConversationId(one) for one in rows}


async def follow(session: AsyncSession, conversation: Conversation, new_thread: ThreadKey) -> None:
    """Let all that goes on in the thread of `conversation`, and it, live in `new_thread`.

    All are locked. Where another one lives there already, that stays the current. What another
    took along before is there already.
    """
    if conversation.thread == new_thread:
        return
    taken = await session.scalar(
        select(Conversation.id).where(
            Conversation.account_id == conversation.account_id,
            Conversation.thread == new_thread,
            Conversation.is_current,
            Conversation.id != conversation.id,
        )
    )
    if taken is not None:
        conversation.is_current = False
    await session.execute(
        update(Conversation)
        .where(
            Conversation.account_id == conversation.account_id,
            Conversation.thread == conversation.thread,
            or_(Conversation.is_current, Conversation.is_beside),
            Conversation.id != conversation.id,
        )
        .values({"thread": new_thread} | ({} if taken is None else {"is_current": False}))
    )
    conversation.thread = new_thread
