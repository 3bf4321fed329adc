"""The lock that whoever changes a conversation holds first."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import ConversationErased
from core.domain.ids import ConversationId
from core.storage.tables import Conversation


async def locked(session: AsyncSession, conversation: ConversationId) -> Conversation:
    """Return a conversation, locked until the transaction ends.

    Raises:
        ConversationErased: it is not there any more.
    """
    found = await session.get(
        Conversation, conversation, with_for_update=True, populate_existing=True
    )
    if found is None:
        raise ConversationErased
    return found
