"""The lock that whoever changes a conversation holds first.

Conversations that share a thread number their messages together: with each goes the one that
counts for it, which was there before and so comes first in the order of ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.errors import ConversationErased
from core.domain.ids import ConversationId, MessageId
from core.storage.tables import Conversation, Message

_named = bindparam("names", type_=ARRAY(Uuid()))
_of_them = aliased(Conversation)
_counters = (
    select(_of_them.counted_by)
    .where(_of_them.id == any_(_named), _of_them.counted_by.is_not(None))
    .scalar_subquery()
)
_ALL = (
    select(Conversation)
    # One array, which the index is asked for: who counts for a conversation never changes.
    .where(
        Conversation.id == any_(func.array_cat(_named, func.array(_counters), type_=ARRAY(Uuid())))
    )
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
    return (await all_locked(session, [conversation]))[conversation]


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
    held = {ConversationId(row.id): row for row in rows}
    found = {
        name: held[name]
        for name in conversations
        if name in held and (held[name].counted_by is None or held[name].counted_by in held)
    }
    if len(found) < len(set(conversations)) and not skip_locked:
        raise ConversationErased
    keep_counters(found.values())
    return found


async def locked_with(session: AsyncSession, message: MessageId) -> Conversation | None:
    """Return the conversation that a message is in, locked; None where there is no such message.

    A split that this waited for may have moved it.
    """
    home_of = select(Message.conversation_id).where(Message.id == message)
    home = await session.scalar(home_of)
    while home is not None:
        conversation = await locked(session, ConversationId(home))
        home = await session.scalar(home_of)
        if home == conversation.id:
            return conversation
    return None


def keep_counters(conversations: Iterable[Conversation]) -> None:
    """Let each conversation hold the one that counts for it, which the session has as well."""
    for conversation in conversations:
        _ = conversation.counter
