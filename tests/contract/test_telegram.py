"""Telegram keeps what every channel promises, polled and by webhook, against a Bot API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp

from channels.simulator.faults import Fault
from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram import ids
from channels.telegram.channel import PollingTelegram, Telegram, WebhookTelegram
from channels.telegram.ids import Place
from channels.telegram.pace import Pace
from channels.telegram.settings import TelegramSettings
from console import problems
from core.adapters.blobs import ObjectBlobs
from core.domain.assistant import TicketBrief
from core.domain.backoff import Backoff
from core.domain.content import Choice, Intent
from core.domain.ids import AccountId, Address, ChoiceId, ThreadKey, new_id
from core.ports import ChannelContext
from core.runtime.live import Live, LiveTranscript
from core.storage.engine import Sessions
from tests.contract.buttons_conformance import ButtonsConformance
from tests.contract.channel_conformance import (
    RemoteChannelConformance,
    Store,
    outbound,
    store_for,
)
from tests.support.running_desk import free_port

ACCOUNT = AccountId("telegram-bot")
SECRET = "between-telegram-and-the-desk"
PORT = free_port()
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
DESK = f"http://127.0.0.1:{PORT}"
PACE = Pace(
    poll=1,
    backoff=Backoff(first_seconds=0.05, longest_seconds=0.2),
    probe=0.2,
    check=0.1,
    patience=5.0,
)


class NoTickets:
    """Nobody has tickets."""

    async def tickets_of(
        self, account: AccountId, address: Address, limit: int = 10
    ) -> Sequence[TicketBrief]:
        return ()


@dataclass
class Fake:
    """The platform as the conformance tests move it; one person writes to the bot."""

    channel: Telegram
    again: Callable[[], Telegram]  # the same account in another process
    telegram: TelegramPlatform
    person: Person
    stack: AsyncExitStack
    store: Store
    names: dict[int, str] = field(default_factory=dict)  # of messages, by number
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def post(self, text: str, name: str) -> None:
        known = self.messages.get(name)
        if known is None:
            message = self._message(text, name)
            await self.telegram.updates.tell("message", message)
        elif name in await self.acknowledged():
            await self.telegram.updates.tell("message", known)
        # else the platform is still at it by itself

    async def acknowledged(self) -> list[str]:
        return [
            self.names[update["message"]["message_id"]]
            for update in self.telegram.acknowledged
            if "message" in update and "message_id" in update["message"]
        ]

    async def post_malformed(self) -> None:
        await self.telegram.updates.tell_raw({"message": {"text": 5}})

    async def malformed_was_refused(self) -> bool:
        return False  # it has to be kept aside

    def thread(self) -> ThreadKey:
        return ids.thread_key(Place(chat=self.person.id))

    def fail_next_send(self, fault: Fault) -> None:
        self.telegram.faults.plan(fault)

    async def sent(self) -> list[str]:
        return [posted.text for posted in self.telegram.posted]

    async def edit(self, text: str, name: str) -> None:
        message = self.messages.get(name) or self._message("not yet", name)
        edited = {**message, "text": text, "edit_date": message["date"] + 1}
        await self.telegram.updates.tell("edited_message", edited)
        if name not in await self.acknowledged():
            del self.messages[name]  # to be posted after its edit

    async def post_reversed(self, words: Sequence[str]) -> None:
        for message in reversed([self._message(word, word) for word in words]):
            await self.telegram.updates.tell("message", message)

    async def start_another(self) -> None:
        await self.stack.enter_async_context(receiving(self.again(), self.store))

    async def lose_credentials(self) -> None:
        self.telegram.revoke_token()

    async def press(self, *labels: str) -> None:
        for label in labels:
            callback = await self.person.press(self.telegram.posted[-1], label)
            await _until(lambda told=callback: told in self.telegram.methods.answered)

    def told_aside(self) -> list[str]:
        return list(self.telegram.methods.notices)

    def _message(self, text: str, name: str) -> dict[str, Any]:
        self.person.chat.has_spoken = True
        earlier = [number for number, known in self.names.items() if known == name]
        message = self.telegram.world.add(self.person.chat, self.person.fields, text=text)
        if earlier:  # the message whose edit came first
            message = {**message, "message_id": earlier[0]}
        self.names[message["message_id"]] = name
        self.messages[name] = message
        return message


class receiving:  # noqa: N801 - a context manager
    """Let `channel` receive while the block runs."""

    def __init__(self, channel: Telegram, store: Store) -> None:
        self.channel, self.store = channel, store

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.channel.receive(self.store.intake))

    async def __aexit__(self, *_: object) -> None:
        assert not self.task.done(), self.task
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.channel.close()


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramPlatform]:
    async with TelegramPlatform() as platform:
        yield platform


def settings(telegram: TelegramPlatform, **more: Any) -> TelegramSettings:
    return TelegramSettings(token=SecretStr(telegram.token), api_url=telegram.url, **more)


def context(folder: Path, base_url: str = "http://desk.example") -> ChannelContext:
    return ChannelContext(
        blobs=ObjectBlobs.at(folder.as_uri()),
        tickets=NoTickets(),
        base_url=base_url,
        key=b"a key for tests",
        default_language="en",
    )


@pytest.fixture
def channel(again: Callable[[], Telegram]) -> Telegram:
    return again()


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path, channel: Telegram) -> Store:
    return store_for(sessions, database_url, tmp_path, channel)


@pytest.fixture
async def platform(
    telegram: TelegramPlatform,
    channel: Telegram,
    again: Callable[[], Telegram],
    store: Store,
) -> AsyncIterator[Fake]:
    person = telegram.person("Ana")
    person.chat.has_spoken = True
    async with AsyncExitStack() as stack:
        if isinstance(channel, WebhookTelegram):
            await stack.enter_async_context(served(channel, store, PORT))
        await stack.enter_async_context(receiving(channel, store))
        async with asyncio.timeout(15):
            while not (telegram.updates.webhook or telegram.updates._poll):
                await asyncio.sleep(0.01)
        yield Fake(channel, again, telegram, person, stack, store)


class served:  # noqa: N801 - a context manager
    """Serve the channel's routes as the desk does while the block runs."""

    def __init__(self, channel: WebhookTelegram, store: Store, port: int) -> None:
        app = FastAPI()
        problems.install(app)
        transcript = LiveTranscript(store.sessions, Live(store.url, store.sessions), store.blobs)
        app.router.routes.extend(channel.routes(store.intake, transcript))
        self.server = uvicorn.Server(_config(app, port))

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.server.serve())
        async with asyncio.timeout(10):
            while not self.server.started:
                await asyncio.sleep(0)

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task


def _config(app: ASGIApp, port: int) -> uvicorn.Config:
    return uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")


class TelegramConformance(ButtonsConformance, RemoteChannelConformance):
    """What both ways in promise besides."""

    async def test_news_told_twice_and_out_of_order_are_kept_once_and_in_order(
        self, platform: Fake, store: Store
    ) -> None:
        words = [f"word {number}" for number in range(12)]
        platform.telegram.faults.plan(*[Fault.DUPLICATED, Fault.REORDERED] * 5)
        for word in words:
            await platform.post(word, word)
        await _until(lambda: len(platform.telegram.acknowledged) == len(words) + 5)
        assert await store.texts() == words
        assert await store.events() == len(words)

    @pytest.mark.parametrize("named", range(3))
    async def test_an_album_in_a_group_is_taken_whole_whichever_part_names_the_bot(
        self, platform: Fake, store: Store, named: int
    ) -> None:
        group, captions = platform.telegram.group("Office"), ["one", "two", "three"]
        for number, caption in enumerate(captions):
            words = f"@desk_bot {caption}" if number == named else caption
            await platform.person.send_file(
                PNG, kind="photo", album="a1", caption=words, group=group
            )
            # Each by itself: none of them is in one batch with the one that names the bot.
            await _until(lambda told=number + 1: len(platform.telegram.acknowledged) == told)
        assert await store.texts() == captions


class TestPolling(TelegramConformance):
    @pytest.fixture
    def again(self, telegram: TelegramPlatform, tmp_path: Path) -> Callable[[], Telegram]:
        return lambda: PollingTelegram(ACCOUNT, settings(telegram), context(tmp_path), pace=PACE)

    async def test_it_goes_on_where_it_was_stopped(self, platform: Fake, store: Store) -> None:
        await platform.post("one", "a")
        await _until(lambda: platform.telegram.acknowledged)
        await platform.stack.aclose()
        await platform.post("two", "b")
        async with receiving(platform.again(), store):
            await _until(lambda: len(platform.telegram.acknowledged) == 2)
        assert await store.texts() == ["one", "two"]

    async def test_one_update_that_cannot_be_stored_does_not_stop_its_batch(
        self, platform: Fake, store: Store
    ) -> None:
        async with store.held():
            for text, name in (("before", "a"), ("half a pair: \ud800", "b"), ("after", "c")):
                await platform.post(text, name)
        await _until(lambda: len(platform.telegram.acknowledged) == 3)
        assert await store.texts() == ["before", "after"]
        assert await store.quarantined() == 1


class TestWebhook(TelegramConformance):
    @pytest.fixture
    def again(self, telegram: TelegramPlatform, tmp_path: Path) -> Callable[[], Telegram]:
        chosen = settings(telegram, mode="webhook", webhook_secret=SECRET)
        lent = context(tmp_path, DESK)
        return lambda: WebhookTelegram(ACCOUNT, chosen, lent, pace=PACE)

    @pytest.mark.parametrize(
        ("headers", "body", "status"),
        [
            ({"X-Telegram-Bot-Api-Secret-Token": "wrong"}, b"{}", 401),
            ({"X-Telegram-Bot-Api-Secret-Token": None}, b"{}", 401),
            ({"Content-Type": "text/plain"}, b"{}", 415),
            ({}, b"[" * 100_000, 422),
            ({}, b"\xff", 422),
            ({}, b'"text"', 422),
            ({}, b" " * (1024 * 1024 + 1), 413),
        ],
    )
    async def test_what_telegram_does_not_send_is_refused_and_leaves_nothing(
        self,
        platform: Fake,
        store: Store,
        headers: dict[str, str | None],
        body: bytes,
        status: int,
    ) -> None:
        given = {
            "Content-Type": "application/json",
            "X-Telegram-Bot-Api-Secret-Token": SECRET,
            **headers,
        }
        address = f"{DESK}/channels/telegram/{ACCOUNT}"
        async with httpx.AsyncClient(trust_env=False) as http:
            response = await http.post(
                address,
                content=body,
                headers={name: value for name, value in given.items() if value is not None},
            )
        assert response.status_code == status
        assert await store.events() == await store.quarantined() == 0

    async def test_a_pressed_button_is_answered_with_the_acknowledgement(
        self, platform: Fake
    ) -> None:
        callback = await _press(platform)
        await _until(lambda: callback in platform.telegram.methods.answered)
        assert "answerCallbackQuery" not in {method for method, _ in platform.telegram.calls}


async def _press(platform: Fake) -> str:
    choice = Choice(id=ChoiceId(new_id()), label="Yes", intent=Intent(name="helped"))
    await platform.channel.deliver(replace(outbound(platform), choices=(choice,)))
    return await platform.person.press(platform.telegram.posted[-1], "Yes")


async def _until(holds: Any) -> None:
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.02)
