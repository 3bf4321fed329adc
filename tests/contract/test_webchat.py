"""The web chat keeps what every channel promises, over HTTP to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from channels.webchat.channel import WebChat
from channels.webchat.ids import thread_key
from console import problems
from core.domain.ids import AccountId, ThreadKey
from core.runtime.live import Live, LiveTranscript
from core.storage.engine import Sessions
from tests.contract.channel_conformance import ChannelConformance, Store, store_for
from tests.support.visitor import Visitor


@dataclass
class Requesting:
    """A browser: a 200 or 202 is what it takes for an acknowledgement."""

    channel: WebChat
    visitor: Visitor
    answers: list[tuple[str, asyncio.Task[httpx.Response]]] = field(default_factory=list)
    malformed: httpx.Response | None = None

    async def post(self, text: str, name: str) -> None:
        before = [answer for _, answer in self.answers]
        if before and not before[-1].done():
            await asyncio.wait(before)  # a page sends its next message after the last was taken
        task = asyncio.create_task(self.visitor.post(text, uuid5(NAMESPACE_OID, name)))
        self.answers.append((name, task))

    async def acknowledged(self) -> list[str]:
        return [
            name
            for name, answer in self.answers
            if answer.done() and answer.result().status_code in {200, 202}
        ]

    async def post_malformed(self) -> None:
        self.malformed = await self.visitor.http.post(
            "/chat/messages", content=b"\xff{", headers=self.visitor.headers
        )

    async def malformed_was_refused(self) -> bool:
        return (
            self.malformed is not None
            and self.malformed.status_code == 422
            and self.malformed.headers["content-type"] == "application/problem+json"
        )

    def thread(self) -> ThreadKey:
        return thread_key(UUID(self.visitor.session))


@pytest.fixture
def channel() -> WebChat:
    return WebChat(AccountId("webchat"), b"a key for tests")


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path, channel: WebChat) -> Store:
    return store_for(sessions, database_url, tmp_path, channel)


@pytest.fixture
async def address(channel: WebChat, store: Store) -> AsyncIterator[str]:
    """The channel's routes, served as the desk serves them."""
    app = FastAPI()
    problems.install(app)
    transcript = LiveTranscript(store.sessions, Live(store.url), store.blobs)
    app.router.routes.extend(channel.routes(store.intake, transcript))
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
async def platform(channel: WebChat, address: str) -> AsyncIterator[Requesting]:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30.0) as http:
        platform = Requesting(channel, await Visitor.arrive(http))
        yield platform
        await asyncio.gather(*(answer for _, answer in platform.answers))


class TestWebChat(ChannelConformance):
    async def test_away_is_said_with_503_and_when_to_come_back(
        self, platform: Requesting, store: Store
    ) -> None:
        async with store.away():
            response = await platform.visitor.post("hello")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) >= 1

    async def test_reading_while_the_database_is_away_is_a_503_too(
        self, platform: Requesting, store: Store
    ) -> None:
        async with store.away():
            for path in ("/chat/messages", "/chat/events"):
                response = await platform.visitor.http.get(path, headers=platform.visitor.headers)
                assert response.status_code == 503, path
