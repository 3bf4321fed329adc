"""The lock that whoever changes a conversation holds first."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import ConversationErased
from core.domain.ids import ConversationId
from core.storage.tables import Conversation

_ALL = (
    select(Conversation)
    .where(Conversation.id == any_(bindparam("names", type_=ARRAY(Uuid()))))
    .order_by(Conversation.id)  # the order in which all callers lock
    .execution_options(populate_existing=True)
)
_WAITED_FOR = _ALL.with_for_update()
_FREE = _ALL.with_for_update(skip_locked=True)


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


async def all_locked(
    session: AsyncSession, conversations: Collection[ConversationId], *, skip_locked: bool = False
) -> Mapping[ConversationId, Conversation]:
    """Return several conversations, locked in one order until the transaction ends.

    With `skip_locked`, those that somebody else has locked, or that are erased, are left out.

    Raises:
        ConversationErased: one of them is not there any more.
    """
    rows = await session.scalars(
        _FREE if skip_locked else _WAITED_FOR, {"names": list(conversations)}
    )
    found = {ConversationId(row.id): row for row in rows}
    if len(found) < len(conversations) and not skip_locked:
        raise ConversationErased
    return found
