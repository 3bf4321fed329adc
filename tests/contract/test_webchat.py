"""The web chat keeps what every channel promises, over HTTP to a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from channels.simulator.faults import Fault
from channels.webchat.channel import WebChat
from channels.webchat.endpoints import MAX_BODY_BYTES
from channels.webchat.ids import thread_key
from console import problems
from core.adapters.blobs import ObjectBlobs
from core.domain.content import MAX_TEXT_CHARS
from core.domain.files import FileState
from core.domain.ids import AccountId, ConversationId, ThreadKey
from core.runtime.lanes.files import FilesLane
from core.runtime.live import Live, LiveTranscript
from core.runtime.machine.polling import until
from core.services.files.deposit import Deposit
from core.services.files.fetching import Fetching
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.vault import Vault
from core.storage.engine import Sessions
from core.storage.tables import Attachment, Conversation
from tests.contract.channel_conformance import (
    PATIENCE_SECONDS,
    RemoteChannelConformance,
    RemotePlatform,
    Store,
    store_for,
)
from tests.support.visitor import Visitor
from tests.unit.files.builders import WINDOWS_PROGRAM, png


@dataclass
class Requesting:
    """A browser: a 200 or 202 is what it takes for an acknowledgement."""

    channel: WebChat
    visitor: Visitor
    serve: Callable[[], Awaitable[str]]  # the same account from another process
    visitors: list[Visitor] = field(default_factory=list)  # the same one, by each process
    answers: list[tuple[str, asyncio.Task[httpx.Response]]] = field(default_factory=list)
    malformed: httpx.Response | None = None

    async def post(self, text: str, name: str) -> None:
        before = [answer for _, answer in self.answers]
        if before and not before[-1].done():
            await asyncio.wait(before)  # a page sends its next message after the last was taken
        visitors = [self.visitor, *self.visitors]
        visitor = visitors[len(self.answers) % len(visitors)]
        task = asyncio.create_task(visitor.post(text, uuid5(NAMESPACE_OID, name)))
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

    async def start_another(self) -> None:
        http = httpx.AsyncClient(base_url=await self.serve(), trust_env=False, timeout=30.0)
        self.visitors.append(replace(self.visitor, http=http))

    def fail_next_send(self, fault: Fault) -> None:
        raise NotImplementedError(f"nothing is sent that could meet {fault}")

    async def sent(self) -> list[str]:
        raise NotImplementedError("nothing is sent: pages read the store")

    async def edit(self, text: str, name: str) -> None:
        raise NotImplementedError("this platform has no edits")

    async def post_reversed(self, words: Sequence[str]) -> None:
        raise NotImplementedError("a page sends one message after the other")

    async def lose_credentials(self) -> None:
        raise NotImplementedError("the web chat knows no credentials of a platform")

    async def begin(self, text: str, name: str, *, left_out: int = 0) -> asyncio.StreamWriter:
        """Send a message on a connection of its own, without its last bytes; await no answer."""
        address = self.visitor.http.base_url
        _, writer = await asyncio.open_connection(address.host, address.port)
        body = json.dumps({"id": str(uuid5(NAMESPACE_OID, name)), "text": text}).encode()
        head = (
            f"POST /chat/messages HTTP/1.1\r\nHost: {address.host}\r\n"
            f"Authorization: {self.visitor.headers['Authorization']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body[: len(body) - left_out])
        await writer.drain()
        return writer


@pytest.fixture
def vault(sessions: Sessions, tmp_path: Path) -> Vault:
    blobs = ObjectBlobs.at(tmp_path.as_uri())
    rules = InspectionRules(max_bytes=100_000, refused_endings=frozenset({"exe"}))
    return Vault(blobs, rules, tmp_path / "incoming", LooseBlobs(sessions, blobs))


@pytest.fixture
def again(vault: Vault, tmp_path: Path) -> Callable[[], WebChat]:
    deposit = Deposit(vault, ObjectBlobs.at(tmp_path.as_uri()))
    return lambda: WebChat(AccountId("webchat"), b"a key for tests", deposit=deposit)


@pytest.fixture
def channel(again: Callable[[], WebChat]) -> WebChat:
    return again()


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path, channel: WebChat) -> Store:
    return store_for(sessions, database_url, tmp_path, channel)


@asynccontextmanager
async def served(channel: WebChat, store: Store) -> AsyncIterator[str]:
    """Serve the channel's routes as the desk serves them; yield the address."""
    app = FastAPI()
    problems.install(app)
    transcript = LiveTranscript(store.sessions, Live(store.url, store.sessions), store.blobs)
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
async def platform(
    channel: WebChat,
    again: Callable[[], WebChat],
    store: Store,
    sessions: Sessions,
    database_url: str,
    tmp_path: Path,
) -> AsyncIterator[Requesting]:
    async with AsyncExitStack() as stack:

        async def serve() -> str:
            another = again()
            its_store = store_for(sessions, database_url, tmp_path, another)
            return await stack.enter_async_context(served(another, its_store))

        address = await stack.enter_async_context(served(channel, store))
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30.0) as http:
            platform = Requesting(channel, await Visitor.arrive(http), serve)
            yield platform
            await asyncio.gather(*(answer for _, answer in platform.answers))
            for visitor in platform.visitors:
                await visitor.http.aclose()


class TestWebChat(RemoteChannelConformance):
    # Nothing is sent to anywhere: pages read what was committed, and may come back for it.
    test_where_it_has_to_wait_nothing_was_sent_and_it_says_how_long = None  # type: ignore[assignment]
    test_a_connection_cut_before_the_request_was_read_loses_and_doubles_nothing = None  # type: ignore[assignment]
    test_a_connection_cut_after_the_request_was_read_is_uncertain = None  # type: ignore[assignment]
    test_credentials_that_are_refused_come_with_a_remedy = None  # type: ignore[assignment]  # it has none
    test_lost_credentials_are_reported_with_a_remedy = None  # type: ignore[assignment]  # it has none
    test_an_edit_that_comes_before_its_message_counts = None  # type: ignore[assignment]  # it has no edits
    # A page sends a message once the one before was taken: the order of arrival is the visitor's.
    test_what_comes_in_another_order_is_kept_in_the_platforms = None  # type: ignore[assignment]

    async def test_a_long_text_arrives_whole(self, platform: RemotePlatform) -> None:
        """What visitors write beyond the limit of a message is its file."""
        assert isinstance(platform, Requesting)
        text = " ".join(f"word-{number}" for number in range(MAX_TEXT_CHARS // 8))
        assert len(text) > MAX_TEXT_CHARS
        await platform.visitor.say(text)
        (shown,) = await platform.visitor.messages()
        assert text.startswith(shown["text"].removesuffix("…"))
        assert len(shown["text"]) == MAX_TEXT_CHARS
        (file,) = shown["files"]
        assert (file["name"], file["size"]) == ("message.txt", len(text))

    async def test_what_is_larger_than_any_text_is_refused_and_leaves_nothing(
        self, platform: Requesting, store: Store
    ) -> None:
        response = await platform.visitor.post("x" * (MAX_BODY_BYTES + 1))
        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"
        assert await store.events() == await store.quarantined() == 0

    async def test_a_connection_cut_before_the_message_was_read_stores_nothing(
        self, platform: Requesting, store: Store
    ) -> None:
        writer = await platform.begin("hello", "a", left_out=1)
        writer.transport.abort()
        await platform.visitor.say("what came next")
        assert await store.texts() == ["what came next"]

    async def test_a_connection_cut_before_the_answer_keeps_the_message_and_the_next_try_finds_it(
        self, platform: Requesting, store: Store
    ) -> None:
        async with store.held():
            writer = await platform.begin("hello", "a")
            assert await until(store.is_waiting, every=0.02, seconds=PATIENCE_SECONDS)
            writer.transport.abort()

        async def is_kept() -> bool:
            return await store.texts() == ["hello"]

        assert await until(is_kept, every=0.02, seconds=PATIENCE_SECONDS)
        await platform.post("hello", "a")
        await asyncio.wait([answer for _, answer in platform.answers])
        assert await platform.acknowledged() == ["a"]
        assert await store.texts() == ["hello"]
        assert await store.events() == 1

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
