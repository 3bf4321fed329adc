"""The stream of news: what changed after a position is told once the reader asks from there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import text

from core.domain.actor import Role
from core.domain.ids import new_id
from core.services.access.tokens import TokenTerms
from core.services.writing.drafts import DraftKind
from core.services.writing.visits import Visits
from core.storage.queries.feed import MOST_ENTRIES, FeedPosition, feed_end, prune_feed
from tests.integration.console.browser import PASSWORD
from tests.integration.console.world import Desk
from tests.support.serving import served

_DEADLINE_SECONDS = 60.0
_FAR_BELOW_THE_LONGEST_SILENCE = 20.0  # seconds; a stream looks by itself after thirty
_UNSAID = text("INSERT INTO feed (id, kind, conversation_id) VALUES (:id, 'ticket', :conversation)")
_VERY_MUCH = text(
    "INSERT INTO feed (id, kind, conversation_id)"
    " SELECT gen_random_uuid(), 'message', gen_random_uuid() FROM generate_series(1, :count)"
)


@dataclass
class Event:
    name: str = ""
    data: str = ""
    id: str = ""


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in browser on the desk served over HTTP."""
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    listening = asyncio.create_task(desk.live.run())
    async with (
        served(desk.app) as address,
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        signed_in = await client.post(
            "/console/sign-in", data={"email": agent.email, "password": PASSWORD}
        )
        assert signed_in.status_code == 303
        yield client
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


@contextlib.asynccontextmanager
async def stream(
    client: httpx.AsyncClient, after: str | None = None, last: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {"Last-Event-ID": last} if last else {}
    params = {"after": after} if after else {}
    async with (
        asyncio.timeout(_DEADLINE_SECONDS),  # a stream itself has no end
        client.stream("GET", "/console/events", params=params, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[Event]:
    event = Event()
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            event.name = value
        elif field == "data":
            event.data = value
        elif field == "id":
            event.id = value
        elif not line and event.name:
            yield event
            event = Event()


async def until_queue(events: AsyncIterator[Event]) -> tuple[set[str], str]:
    """Return the conversations named before the next `queue`, and that event's id."""
    named: set[str] = set()
    async for event in events:
        if event.name == "conversation":
            assert not event.id  # were it there, a cut here would lose the rest
            named.add(event.data)
        elif event.name == "queue":
            return named, event.id
    raise AssertionError("the stream ended")


async def position(desk: Desk) -> str:
    async with desk.sessions() as session:
        return str(await feed_end(session))


async def test_news_come_as_they_happen(desk: Desk, client: httpx.AsyncClient) -> None:
    async with stream(client, after=await position(desk)) as events:
        assert (await anext(events)).name == "position"
        conversation = await desk.queued()
        named, _ = await until_queue(events)
        assert named == {str(conversation)}


async def test_who_is_told_of_a_change_of_their_access_hears_of_it_on_a_quiet_desk(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    async with stream(client, after=await position(desk)) as events:
        assert (await anext(events)).name == "position"
        await desk.access.create_token("ana@example.org", Role.AGENT, TokenTerms(name="Robot"))
        named, seen = await until_queue(events)
    assert named == set()
    assert ">1<" in (await client.get("/console/notices/count")).text
    await desk.access.create_token("ana@example.org", Role.AGENT, TokenTerms(name="Other"))
    async with stream(client, last=seen) as events:  # away meanwhile
        assert (await until_queue(events))[0] == set()


async def test_a_reader_that_was_away_hears_what_it_missed(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    start = await position(desk)
    first = await desk.queued(thread="a")
    async with stream(client, after=start) as events:
        named, seen = await until_queue(events)
        assert named == {str(first)}
    second = await desk.queued(thread="b", who="bob")
    # A browser repeats the page's old address; where it really was is in the header.
    async with stream(client, after=start, last=seen) as events:
        named, _ = await until_queue(events)
        assert named == {str(second)}


async def test_the_first_event_tells_the_position(desk: Desk, client: httpx.AsyncClient) -> None:
    async with stream(client) as events:
        first = await anext(events)
    assert FeedPosition.parse(first.id).next <= FeedPosition.parse(await position(desk)).next


@pytest.mark.parametrize(
    "place",
    [
        "774123-01939b3c-5a2e-7c11-9c61-0a6d2f3b1c55",  # as pages of an older desk have it
        "x",
        "1:x:",
        "::",
        "1:2:3,",
        "1:2:-1",
        "\u00b2:3:",
        "1:" + "9" * 5000 + ":",
        f"1:{2**63}:",
        f"1:2:{2**63}",
    ],
)
async def test_a_page_with_a_position_that_is_none_looks_at_everything_and_hears_news(
    desk: Desk, client: httpx.AsyncClient, place: str
) -> None:
    async with stream(client, after=place) as events:
        first = await anext(events)
        assert (first.name, first.data) == ("resync", "")
        conversation = await desk.queued()
        named, _ = await until_queue(events)
    assert named == {str(conversation)}


async def test_a_browser_that_repeats_an_unreadable_position_looks_at_everything(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    async with stream(client, after=await position(desk), last="774123-0") as events:
        assert (await anext(events)).name == "resync"


async def test_a_visit_noted_by_another_process_is_told_at_once(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    conversation = await desk.queued()
    bea = await desk.agent("bea@example.org", "Bea")
    elsewhere = Visits(desk.sessions)
    async with stream(client, after=await position(desk)) as events:
        assert (await anext(events)).name == "position"
        await elsewhere.come(bea.id, conversation, None)
        await elsewhere.come(bea.id, conversation, None)  # nothing new
        await elsewhere.come(bea.id, conversation, DraftKind.NOTE)
        await elsewhere.leave(bea.id, conversation)
        told = [event.data async for event in _first(events, "visitors")]
    assert told == [str(conversation)]


async def test_what_nobody_signalled_is_told_within_seconds(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    conversation = await desk.queued()
    async with stream(client, after=await position(desk)) as events:
        assert (await anext(events)).name == "position"
        async with desk.sessions.begin() as session:
            unsaid = {"id": new_id(), "conversation": conversation}
            await session.execute(_UNSAID, unsaid)
        async with asyncio.timeout(_FAR_BELOW_THE_LONGEST_SILENCE):
            named, _ = await until_queue(events)
    assert named == {str(conversation)}


async def test_a_page_that_was_away_for_longer_than_the_feed_looks_at_everything(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.queued(thread="a")
    start = await position(desk)
    async with stream(client, after=start) as events:
        assert (await anext(events)).name == "position"
    await desk.queued(thread="b", who="bob")
    last = await desk.queued(thread="c", who="eve")
    async with desk.sessions.begin() as session:
        await prune_feed(session, datetime.now(UTC))
    async with stream(client, after=start) as events:
        first = await anext(events)
    assert (first.name, first.data) == ("resync", "")
    async with stream(client, after=first.id) as events:
        assert (await anext(events)).name == "position"
        await desk.queued(thread="d", who="kim")
        named, _ = await until_queue(events)
    assert named
    assert str(last) not in named


async def test_who_missed_very_much_is_told_to_look_at_everything(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.queued()
    start = await position(desk)
    async with desk.sessions.begin() as session:
        await session.execute(_VERY_MUCH, {"count": MOST_ENTRIES + 1})
    async with stream(client, after=start) as events:
        assert [(await anext(events)).name for _ in range(2)] == ["position", "resync"]
        conversation = await desk.queued(thread="b", who="bob")
        named, _ = await until_queue(events)
    assert named == {str(conversation)}


async def _first(events: AsyncIterator[Event], name: str) -> AsyncIterator[Event]:
    async for event in events:
        if event.name == name:
            yield event
            return
