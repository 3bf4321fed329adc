"""A simulated Slack workspace in which somebody writes to the desk, told over sockets or HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI

from channels.simulator.faults import Fault
from channels.simulator.slack import Message, News, Person, SlackPlatform
from channels.simulator.slack.workspace import TEAM
from channels.slack.channel import Slack, SlackOverHttp, open_slack
from channels.slack.settings import SlackSettings
from console import problems
from core.domain.ids import AccountId, ThreadKey
from core.runtime.live import Live, LiveTranscript
from core.runtime.machine.polling import until
from tests.contract.channel_conformance import (
    PATIENCE_SECONDS,
    Store,
)
from tests.support.slack import channel_context, plain_text

ACCOUNT = AccountId("acme")


@dataclass
class Workspace:
    """Ana writes to the desk; the simulated Slack tells it."""

    channel: Slack
    slack: SlackPlatform
    store: Store
    ana: Person
    others: AsyncExitStack
    messages: dict[str, Message] = field(default_factory=dict)
    news: dict[str, News] = field(default_factory=dict)

    def _composed(self, text: str, name: str) -> News:
        if name not in self.news:
            self.messages[name] = self.slack.compose(self.ana, text)
            self.news[name] = self.slack.posting(self.messages[name])
        return self.news[name]

    async def post(self, text: str, name: str) -> None:
        await self.slack.telling.tell(self._composed(text, name))

    async def acknowledged(self) -> list[str]:
        names = {news.id: name for name, news in self.news.items()}
        return [names[i] for i in self.slack.telling.acknowledged if i in names]

    async def post_malformed(self) -> None:
        event = {"type": "never_heard_of", "event_ts": "1.0"}
        payload = {"type": "event_callback", "team_id": TEAM, "event": event}
        await self.slack.telling.tell(News(id="malformed", kind="events_api", payload=payload))

    async def malformed_was_refused(self) -> bool:
        return False  # it is Slack's: it is acknowledged and kept aside

    def thread(self) -> ThreadKey:
        return ThreadKey(self.ana.direct)

    def fail_next_send(self, fault: Fault) -> None:
        self.slack.faults.plan(fault)

    async def sent(self) -> list[str]:
        return [plain_text(message) for message in self.slack.sent()]

    async def edit(self, text: str, name: str) -> None:
        self._composed("before the edit", name)
        message = self.messages[name]
        await self.slack.telling.tell(self.slack.editing(message, text))

    async def post_reversed(self, words: Sequence[str]) -> None:
        for word in words:
            self._composed(word, word)
        for word in reversed(words):
            await self.post(word, word)

    async def start_another(self) -> None:
        await self.others.enter_async_context(_receiving(self.slack, self.store))

    async def lose_credentials(self) -> None:
        await self.slack.revoke()

    async def press(self, *labels: str) -> None:
        question = self.slack.sent()[-1]
        for news in [self.slack.pressing(self.ana, question, label) for label in labels]:
            await self.slack.telling.tell(news)

            async def is_stored(name: str = news.id) -> bool:
                return name in self.slack.telling.acknowledged

            assert await until(is_stored, every=0.01, seconds=PATIENCE_SECONDS)

    def told_aside(self) -> list[str]:
        return [words for _, words in self.slack.workspace.asides]


def _settings(slack: SlackPlatform, *, socket: bool) -> SlackSettings:
    values = {"bot_token": slack.bot_token, "api_url": slack.url}
    if socket:
        values["app_token"] = slack.app_token
    else:
        values["signing_secret"] = slack.signing_secret
    return SlackSettings.model_validate(values)


@asynccontextmanager
async def _served(channel: SlackOverHttp, store: Store) -> AsyncIterator[str]:
    """The channel's routes, served as the desk serves them."""
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
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/channels/slack/{ACCOUNT}/events"
    server.should_exit = True
    await serving


@asynccontextmanager
async def _receiving(slack: SlackPlatform, store: Store) -> AsyncIterator[Slack]:
    """A channel of the account that receives by whichever way the platform tells."""
    is_socket = slack.telling.address is None
    channel = open_slack(ACCOUNT, _settings(slack, socket=is_socket), channel_context())
    sockets = slack.telling.sockets
    receiving = asyncio.create_task(channel.receive(store.intake))
    if is_socket:

        async def connected() -> bool:
            return slack.telling.sockets > sockets

        assert await until(connected, every=0.01, seconds=PATIENCE_SECONDS)
    async with AsyncExitStack() as stack:
        if isinstance(channel, SlackOverHttp):
            address = await stack.enter_async_context(_served(channel, store))
            slack.deliver_to(address)
        yield channel
    assert not receiving.done(), "receive ended by itself"
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving
    await channel.close()


@asynccontextmanager
async def workspace_of(slack: SlackPlatform, store: Store) -> AsyncIterator[Workspace]:
    async with AsyncExitStack() as others, _receiving(slack, store) as channel:
        yield Workspace(channel, slack, store, slack.person("Ana"), others)
