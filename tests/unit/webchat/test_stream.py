"""The event stream, over a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from channels.webchat.endpoints import ChatEndpoints
from channels.webchat.limits import ChatLimits, Limits
from channels.webchat.tokens import Session, SessionTokens
from core.domain.conversation import Speaker
from core.domain.ids import ThreadKey, new_id
from tests.unit.webchat.memory import ACCOUNT, KEY, MemoryDesk

pytestmark = pytest.mark.filterwarnings("error")


@asynccontextmanager
async def serving(desk: MemoryDesk, heartbeat_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    endpoints = ChatEndpoints(
        ACCOUNT,
        SessionTokens(ACCOUNT, KEY),
        desk,
        desk,
        ChatLimits(Limits(), time.monotonic),
        deposit=None,
        default_language="en",
        clock=lambda: datetime.now(UTC),
        heartbeat_seconds=heartbeat_seconds,
    )
    app = Starlette(routes=endpoints.routes())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serve = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=10) as client:
            yield client
    finally:
        server.should_exit = True
        await serve


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
async def http(desk: MemoryDesk) -> AsyncIterator[httpx.AsyncClient]:
    session = Session(id=new_id(), language="en", issued_at=datetime.now(UTC))
    token = SessionTokens(ACCOUNT, KEY).issue(session)
    async with serving(desk, heartbeat_seconds=0.05) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        client.headers["X-Session"] = str(session.id)
        yield client


@pytest.fixture
def thread(http: httpx.AsyncClient) -> ThreadKey:
    return ThreadKey(http.headers["X-Session"])


@asynccontextmanager
async def streaming(
    http: httpx.AsyncClient, path: str = "/chat/events", **headers: str
) -> AsyncIterator[AsyncIterator[str]]:
    async with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-store"
        yield response.aiter_lines()


async def read(lines: AsyncIterator[str], count: int) -> list[dict[str, Any]]:
    """Return the next `count` events."""
    events: list[dict[str, Any]] = []
    event: dict[str, str] = {}
    async for line in lines:
        if line == "" and event:
            assert set(event) == {"id", "data"}  # no name: the default type
            events.append(json.loads(event["data"]))
            assert events[-1]["seq"] == int(event["id"])
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
        if len(events) == count:
            break
    return events


async def test_a_stream_gives_what_there_is_and_what_comes(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    desk.say(thread, "one\ntwo\u2028three", speaker=Speaker.SYSTEM)
    async with streaming(http) as lines:
        (first,) = await read(lines, 1)
        assert (first["seq"], first["from"], first["text"]) == (1, "system", "one\ntwo\u2028three")
        desk.say(thread, "four")
        desk.say(thread, "five")
        assert [event["text"] for event in await read(lines, 2)] == ["four", "five"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/chat/events?after=2", {}),
        ("/chat/events", {"Last-Event-ID": "2"}),
        ("/chat/events?after=0", {"Last-Event-ID": "2"}),
    ],
)
async def test_a_stream_goes_on_where_the_reader_was(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey, path: str, headers: dict[str, str]
) -> None:
    for text in ("one", "two", "three"):
        desk.say(thread, text)
    async with streaming(http, path, **headers) as lines:
        assert [event["text"] for event in await read(lines, 1)] == ["three"]


async def test_a_long_backlog_comes_whole(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    for number in range(450):
        desk.say(thread, str(number))
    async with streaming(http) as lines:
        assert [event["seq"] for event in await read(lines, 450)] == list(range(1, 451))


async def test_a_stream_shows_one_thread_only(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    async with streaming(http) as lines:
        desk.say(ThreadKey("other"), "theirs")
        desk.say(thread, "ours")
        assert [event["text"] for event in await read(lines, 1)] == ["ours"]


async def test_a_false_alarm_changes_nothing(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    async with streaming(http) as lines:
        desk.say(thread, "one")
        await read(lines, 1)
        desk.wake(thread)
        desk.say(thread, "two")
        assert [event["text"] for event in await read(lines, 1)] == ["two"]


async def test_a_quiet_stream_has_a_heartbeat(http: httpx.AsyncClient) -> None:
    async with streaming(http) as lines:
        assert (await anext(lines)).startswith(":")


async def test_a_stream_ends_when_storage_goes_away_and_can_be_taken_up_again(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    async with streaming(http) as lines:
        desk.say(thread, "one")
        await read(lines, 1)
        desk.is_down = True
        desk.wake(thread)
        assert [line async for line in lines if line and not line.startswith(":")] == []
    assert desk.watchers(thread) == 0
    desk.is_down = False
    desk.say(thread, "two")
    async with streaming(http, **{"Last-Event-ID": "1"}) as lines:
        assert [event["text"] for event in await read(lines, 1)] == ["two"]


async def test_a_reader_who_left_is_no_longer_watching(
    http: httpx.AsyncClient, desk: MemoryDesk, thread: ThreadKey
) -> None:
    async with streaming(http) as lines:
        await anext(lines)
        assert desk.watchers(thread) == 1
    async with asyncio.timeout(5):
        while desk.watchers(thread):
            await asyncio.sleep(0.01)


async def test_a_server_that_stops_ends_its_streams(desk: MemoryDesk) -> None:
    session = Session(id=new_id(), language="en", issued_at=datetime.now(UTC))
    token = SessionTokens(ACCOUNT, KEY).issue(session)
    async with asyncio.timeout(5):
        async with serving(desk, heartbeat_seconds=0.05) as client:
            headers = {"Authorization": f"Bearer {token}"}
            request = client.build_request("GET", "/chat/events", headers=headers)
            response = await client.send(request, stream=True)
            await anext(response.aiter_lines())
        assert desk.watchers(ThreadKey(str(session.id))) == 0
