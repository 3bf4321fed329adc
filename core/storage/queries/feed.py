"""Reads the feed without gaps, and without waiting for whoever writes meanwhile."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    SelectBase,
    and_,
    any_,
    bindparam,
    delete,
    false,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.domain.ids import AccountId, ThreadKey
from core.storage.tables import Conversation, FeedEntry

MOST_ENTRIES = 500
"""So many entries are told one by one; who has more to hear should look at everything."""

_PRUNED = "pruned"
"""The kind of the oldest entry, where there were older ones."""

_POSITION = re.compile(r"[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19})*)?")


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """What a reader has seen, as the snapshot in which it saw it; its text is an SSE event id.

    That it is not one number is the point: numbers of transactions, and of entries, are drawn
    before the commit, so whatever had been drawn by then may still appear.
    """

    next: int  # the first transaction that had not begun
    under_way: tuple[int, ...] = ()  # those that had begun and not ended, in order

    def __str__(self) -> str:
        """Return the position as PostgreSQL writes a `pg_snapshot`."""
        oldest = self.under_way[0] if self.under_way else self.next
        return f"{oldest}:{self.next}:{','.join(map(str, self.under_way))}"

    @classmethod
    def parse(cls, words: str) -> Self:
        """Return the position that `words` name, or raise `InvalidInput`."""
        if not _POSITION.fullmatch(words):
            raise InvalidInput("not a position in the feed")
        _, upcoming, *under_way = map(int, re.findall(r"[0-9]+", words))
        if max(upcoming, *under_way, 0) >= 2**63 - 1:  # the one after it is asked for, too
            raise InvalidInput("not a position in the feed")
        return cls(upcoming, tuple(under_way))


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What became visible after a position."""

    position: FeedPosition  # after it
    conversations: Sequence[UUID]  # that changed, each once
    has_notices: bool  # agents are told something that is about no conversation
    is_complete: bool  # false where there was more than anybody should be told one by one


_SNAPSHOT = "pg_current_snapshot()"
_UPCOMING: ColumnElement[int] = literal_column(f"pg_snapshot_xmax({_SNAPSHOT})::text::bigint")


def _first_of(*conditions: ColumnElement[bool]) -> SelectBase:
    """Walk along the index from where the reader is, however long the feed."""
    return (
        select(FeedEntry.conversation_id)
        .where(*conditions)
        .order_by(FeedEntry.xid)
        .limit(literal_column(str(MOST_ENTRIES + 1)))  # the plan must know how few these are
    )


_NEXT = bindparam("next", type_=BigInteger)
_UNDER_WAY = bindparam("under_way", type_=ARRAY(BigInteger))

# One statement, so one snapshot: what it shows and what it says it shows are the same. An entry of
# a later transaction than any that ever ran came with a backup of another server: it is no news.
_NEWS = select(
    literal_column(f"{_SNAPSHOT}::text"),
    func.array(
        union_all(
            _first_of(FeedEntry.xid >= _NEXT, FeedEntry.xid < _UPCOMING),
            _first_of(FeedEntry.xid == any_(_UNDER_WAY)),
        ).scalar_subquery()
    ),
)
_END: Select[tuple[str]] = select(literal_column(f"{_SNAPSHOT}::text"))
_FIRST_UNSEEN = bindparam("first_unseen", type_=BigInteger)
_OLDEST = select(and_(FeedEntry.kind == _PRUNED, FeedEntry.xid >= _FIRST_UNSEEN))
_IS_FORGOTTEN = select(
    or_(
        _NEXT > _UPCOMING,
        func.coalesce(_OLDEST.order_by(FeedEntry.xid).limit(1).scalar_subquery(), false()),
    )
)


async def feed_end(session: AsyncSession) -> FeedPosition:
    """Return the position after everything that is visible: where a fresh page begins."""
    return FeedPosition.parse(str(await session.scalar(_END)))


async def read_feed(session: AsyncSession, after: FeedPosition) -> News:
    """Return what became visible after `after`."""
    read = await session.execute(_NEWS, {"next": after.next, "under_way": list(after.under_way)})
    snapshot, conversations = read.one()
    return News(
        position=FeedPosition.parse(snapshot),
        conversations=[one for one in dict.fromkeys(conversations) if one is not None],
        has_notices=None in conversations,
        is_complete=len(conversations) <= MOST_ENTRIES,
    )


async def is_forgotten(session: AsyncSession, position: FeedPosition) -> bool:
    """Return whether something after `position` may not be in the feed any more.

    So it is where entries were pruned since, and where the database is another one: restored from
    a backup to a server whose transactions are counted from the beginning.
    """
    # What is marked as pruned is still there itself, and what came before it is not.
    first_unseen = position.under_way[0] + 1 if position.under_way else position.next
    values = {"next": position.next, "first_unseen": first_unseen}
    return bool(await session.scalar(_IS_FORGOTTEN, values))


async def prune_feed(session: AsyncSession, before: datetime) -> None:
    """Forget entries from before `before`, but for the last: it tells how far they went."""
    old = FeedEntry.at < before
    newest = select(func.max(FeedEntry.xid)).where(old, FeedEntry.xid < _UPCOMING)
    last = await session.scalar(newest) or 0
    of_another_server = and_(old, FeedEntry.xid >= _UPCOMING)
    await session.execute(delete(FeedEntry).where(or_(FeedEntry.xid < last, of_another_server)))
    await session.execute(update(FeedEntry).where(FeedEntry.xid == last).values(kind=_PRUNED))


async def threads_of(
    session: AsyncSession, conversations: Collection[UUID]
) -> Sequence[tuple[AccountId, ThreadKey]]:
    """Return the threads that `conversations` are held in, each once."""
    if not conversations:
        return []
    rows = await session.execute(
        select(Conversation.account_id, Conversation.thread)
        .where(Conversation.id.in_(conversations))
        .distinct()
    )
    return [(AccountId(account), ThreadKey(thread)) for account, thread in rows]
