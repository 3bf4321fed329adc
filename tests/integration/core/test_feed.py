"""What a reader of the feed is told, whatever else the server is doing meanwhile."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.domain.ids import AccountId, ConversationId, ThreadKey, new_id
from core.storage.engine import Sessions, libpq_url
from core.storage.feed import Change, FeedKind, publish
from core.storage.queries.feed import (
    MOST_ENTRIES,
    FeedPosition,
    feed_end,
    is_forgotten,
    prune_feed,
    read_feed,
)
from tests.support.databases import Databases


class Reader:
    """Reads the feed as a page does; between two reads it has nothing but the position's words."""

    def __init__(self, sessions: Sessions, start: FeedPosition) -> None:
        self._sessions = sessions
        self.at = str(start)

    async def told(self) -> set[UUID]:
        async with self._sessions() as session:
            news = await read_feed(session, FeedPosition.parse(self.at))
        self.at = str(news.position)
        assert news.is_complete
        assert len(news.conversations) == len(set(news.conversations))
        return set(news.conversations)


@pytest.fixture
async def reader(sessions: Sessions) -> Reader:
    async with sessions() as session:
        return Reader(sessions, await feed_end(session))


async def publish_in(session: AsyncSession) -> UUID:
    conversation = ConversationId(new_id())
    account, thread = AccountId("webchat"), ThreadKey(str(conversation))
    change = Change(
        kind=FeedKind.MESSAGE, account=account, thread=thread, conversation=conversation
    )
    await publish(session, [change])
    return conversation


async def published(sessions: Sessions) -> UUID:
    async with sessions.begin() as session:
        return await publish_in(session)


@pytest.mark.parametrize("place", ["this database", "another database"])
async def test_who_writes_for_long_holds_back_nothing(
    sessions: Sessions, database_url: str, databases: Databases, reader: Reader, place: str
) -> None:
    url = database_url if place == "this database" else databases.url("postgres")
    async with await psycopg.AsyncConnection.connect(libpq_url(url)) as long_writer:
        await long_writer.execute("SELECT pg_current_xact_id()")
        first = await published(sessions)
        assert await reader.told() == {first}
        second = await published(sessions)
        assert await reader.told() == {second}
    assert await reader.told() == set()


async def test_what_was_written_early_and_committed_late_is_told_once(
    sessions: Sessions, reader: Reader
) -> None:
    async with sessions() as early, sessions() as undone:
        late = await publish_in(early)
        await publish_in(undone)
        for _ in range(2):
            fresh = await published(sessions)
            assert await reader.told() == {fresh}
        await early.commit()
        await undone.rollback()
    assert await reader.told() == {late}
    assert await reader.told() == set()


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_commits_when_everything_committed_is_told_and_nothing_else(
    sessions: Sessions, reader: Reader, seed: int
) -> None:
    dice = random.Random(seed)
    told: list[UUID] = []
    committed: list[UUID] = []
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(sessions()) for _ in range(6)]
        written: dict[int, list[UUID]] = {number: [] for number in range(6)}
        for _ in range(80):
            number = dice.randrange(6)
            match dice.choice(["write", "write", "begin", "commit", "undo", "read"]):
                case "write":
                    written[number].append(await publish_in(writers[number]))
                case "begin":
                    await writers[number].execute(text("SELECT pg_current_xact_id()"))
                case "commit":
                    await writers[number].commit()
                    committed += written[number]
                    written[number] = []
                case "undo":
                    await writers[number].rollback()
                    written[number] = []
                case _:
                    told += await reader.told()
                    assert sorted(told) == sorted(committed)
    told += await reader.told()
    assert committed
    assert sorted(told) == sorted(committed)


async def test_what_is_more_than_can_be_told_is_said_to_be_more(
    sessions: Sessions, reader: Reader
) -> None:
    async with sessions.begin() as session:
        for _ in range(MOST_ENTRIES + 1):
            await publish_in(session)
    async with sessions() as session:
        news = await read_feed(session, FeedPosition.parse(reader.at))
        assert not news.is_complete
        assert (await read_feed(session, news.position)).is_complete


async def _is_forgotten(sessions: Sessions, position: str) -> bool:
    async with sessions() as session:
        return await is_forgotten(session, FeedPosition.parse(position))


@pytest.mark.parametrize("position", [f"1:{2**63 - 1}:", f"1:9:{2**63 - 1}", f"1:{2**63}:", "1"])
def test_a_position_that_no_server_can_have_is_refused(position: str) -> None:
    with pytest.raises(InvalidInput):
        FeedPosition.parse(position)


async def test_the_last_possible_position_is_looked_up(sessions: Sessions) -> None:
    assert await _is_forgotten(sessions, f"1:{2**63 - 2}:{2**63 - 2}")


async def test_a_position_from_before_what_was_pruned_is_forgotten_and_a_later_one_is_not(
    sessions: Sessions, reader: Reader
) -> None:
    assert not await _is_forgotten(sessions, reader.at)  # nothing has ever happened
    await published(sessions)
    await reader.told()
    before, _ = reader.at, await published(sessions)
    await reader.told()
    between, _ = reader.at, await published(sessions)
    await reader.told()
    assert not await _is_forgotten(sessions, before)
    async with sessions.begin() as session:
        await prune_feed(session, datetime.now(UTC) - timedelta(hours=1))
    assert not await _is_forgotten(sessions, before)
    async with sessions.begin() as session:
        await prune_feed(session, datetime.now(UTC) + timedelta(hours=1))
    assert await _is_forgotten(sessions, before)
    assert await _is_forgotten(sessions, between)
    assert not await _is_forgotten(sessions, reader.at)


async def test_a_position_is_forgotten_where_what_was_under_way_then_is_pruned(
    sessions: Sessions, reader: Reader
) -> None:
    async with sessions() as early:
        missed = await publish_in(early)
        await published(sessions)
        await reader.told()
        away_since = reader.at
        await early.commit()
    await published(sessions)
    assert await reader.told() >= {missed}
    await _prune_all_but_the_last(sessions)
    assert await _is_forgotten(sessions, away_since)
    assert not await _is_forgotten(sessions, reader.at)


async def test_what_was_under_way_and_is_the_last_that_was_pruned_is_still_told(
    sessions: Sessions, reader: Reader
) -> None:
    async with sessions() as early:
        missed = await publish_in(early)
        await published(sessions)
        await reader.told()
        await early.commit()
    await _prune_all_but_the_last(sessions)
    assert not await _is_forgotten(sessions, reader.at)
    assert await reader.told() == {missed}


async def _prune_all_but_the_last(sessions: Sessions) -> None:
    later = text(
        "UPDATE feed SET at = at + interval '1 day' WHERE xid = (SELECT max(xid) FROM feed)"
    )
    async with sessions.begin() as session:
        await session.execute(later)
        await prune_feed(session, datetime.now(UTC) + timedelta(hours=1))


async def test_a_position_of_another_server_is_forgotten(
    sessions: Sessions, reader: Reader
) -> None:
    ahead = FeedPosition(FeedPosition.parse(reader.at).next + 1_000_000)
    assert await _is_forgotten(sessions, str(ahead))


async def test_entries_that_came_with_a_backup_of_a_busier_server_are_no_news(
    sessions: Sessions, reader: Reader
) -> None:
    async with sessions.begin() as session:
        await publish_in(session)
        await session.execute(text("UPDATE feed SET xid = xid + 1000000"))
    assert await reader.told() == set()
    fresh = await published(sessions)
    assert await reader.told() == {fresh}
