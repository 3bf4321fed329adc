"""The web chat keeps what every channel promises, over HTTP to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from channels.webchat.channel import WebChat
from channels.webchat.ids import thread_key
from console import problems
from core.adapters.blobs import ObjectBlobs
from core.domain.files import FileState
from core.domain.ids import AccountId, ConversationId, ThreadKey
from core.runtime.lanes.files import FilesLane
from core.runtime.live import Live, LiveTranscript
from core.services.files.deposit import Deposit
from core.services.files.fetching import Fetching
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.vault import Vault
from core.storage.engine import Sessions
from core.storage.tables import Attachment, Conversation
from tests.contract.channel_conformance import ChannelConformance, Store, store_for
from tests.support.visitor import Visitor
from tests.unit.files.builders import WINDOWS_PROGRAM, png


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
def vault(sessions: Sessions, tmp_path: Path) -> Vault:
    blobs = ObjectBlobs.at(tmp_path.as_uri())
    rules = InspectionRules(max_bytes=100_000, refused_endings=frozenset({"exe"}))
    return Vault(blobs, rules, tmp_path / "incoming", LooseBlobs(sessions, blobs))


@pytest.fixture
def channel(vault: Vault, tmp_path: Path) -> WebChat:
    deposit = Deposit(vault, ObjectBlobs.at(tmp_path.as_uri()))
    return WebChat(AccountId("webchat"), b"a key for tests", deposit=deposit)


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

    async def test_a_visitors_file_is_left_brought_by_a_message_looked_at_and_shown(
        self, platform: Requesting, store: Store, vault: Vault
    ) -> None:
        visitor, channel = platform.visitor, platform.channel
        content = png()
        left = await visitor.http.post(
            "/chat/files?name=captura.png",
            content=content,
            headers=visitor.headers | {"Content-Type": "image/png"},
        )
        assert left.status_code == 201, left.text
        sent = await visitor.http.post(
            "/chat/messages",
            json={"id": str(uuid4()), "text": "", "files": [left.json()["file"]]},
            headers=visitor.headers,
        )
        assert sent.status_code == 202, sent.text
        ((waiting,),) = [message["files"] for message in await visitor.messages()]
        assert (waiting["name"], waiting["url"]) == ("captura.png", None)

        lane = FilesLane(
            Fetching(store.sessions, {channel.account: channel.capabilities}),
            {channel.account: channel},
            vault,
        )
        async with store.sessions() as session:
            conversation = await session.scalar(select(Conversation.id))
        assert conversation is not None
        await lane.advance(ConversationId(conversation))
        async with store.sessions() as session:
            (attachment,) = await session.scalars(select(Attachment))
        assert (attachment.status, attachment.media_type) == (FileState.FETCHED, "image/png")
        ((shown,),) = [message["files"] for message in await visitor.messages()]
        assert (await visitor.http.get(shown["url"])).content == content

    async def test_a_file_that_may_not_be_kept_is_refused_with_422(
        self, platform: Requesting
    ) -> None:
        visitor = platform.visitor
        for name, content in (("setup.exe", WINDOWS_PROGRAM), ("photo.png", WINDOWS_PROGRAM)):
            answer = await visitor.http.post(
                f"/chat/files?name={name}", content=content, headers=visitor.headers
            )
            assert answer.status_code == 422, name
            assert answer.headers["content-type"] == "application/problem+json"
