"""The feed: what changed, for live pages; and the signal that wakes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, ConversationId, ThreadKey, TicketId, new_id
from core.storage.signals import signal

CHANNEL = "desk_feed"

VISIT = "visit:"
"""Begins the topic of who looks at a conversation; its id follows. Nothing is in the feed then."""


NOTICES = "notices"
"""The topic of what agents are told that is about no conversation."""


# One statement, whatever is empty: this is on the way of every message.
_PUBLISH = text(
    "INSERT INTO feed (id, kind, conversation_id, ticket_id)"
    " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]),"
    " CAST(:conversations AS uuid[]), CAST(:tickets AS uuid[]))"
)


class FeedKind(StrEnum):
    """What a live page may have to show anew."""

    MESSAGE = "message"
    TICKET = "ticket"
    CONVERSATION = "conversation"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that changed in a conversation or its ticket."""

    kind: FeedKind
    account: AccountId
    thread: ThreadKey
    conversation: ConversationId
    ticket: TicketId | None = None


def thread_topic(account: AccountId, thread: ThreadKey) -> str:
    """Return the topic of a thread: short, whatever the thread's length."""
    digest = hashlib.blake2b(f"{account}\n{thread}".encode(), digest_size=12)
    return digest.hexdigest()


async def publish(session: AsyncSession, changes: Iterable[Change]) -> None:
    """Append `changes` to the feed, and signal listeners once they are committed."""
    unique = list(dict.fromkeys(changes))
    if not unique:
        return
    await session.execute(
        _PUBLISH,
        {
            "ids": [new_id() for _ in unique],
            "kinds": [change.kind for change in unique],
            "conversations": [change.conversation for change in unique],
            "tickets": [change.ticket for change in unique],
        },
    )
    topics = sorted({thread_topic(change.account, change.thread) for change in unique})
    await signal(session, [(CHANNEL, topic) for topic in topics])


async def publish_notices(session: AsyncSession) -> None:
    """Append to the feed that an agent is told something, which is about no conversation."""
    await session.execute(
        _PUBLISH,
        {"ids": [new_id()], "kinds": [FeedKind.NOTICE], "conversations": [None], "tickets": [None]},
    )
    await signal(session, [(CHANNEL, NOTICES)])


async def tell_of_visit(session: AsyncSession, conversation: ConversationId) -> None:
    """Signal after the commit that others look at `conversation` now, or do something else."""
    await signal(session, [(CHANNEL, f"{VISIT}{conversation}")])
