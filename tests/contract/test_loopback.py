"""Loopback keeps what every channel promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.loopback import Loopback
from channels.loopback.ids import post_key
from channels.simulator.faults import Fault
from core.domain.content import Body
from core.domain.errors import (
    DeliveryError,
    Rejected,
    StorageUnavailable,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.events import Author, MessagePosted
from core.domain.ids import AccountId, Address, RemoteId, ThreadKey
from core.runtime.machine.polling import until
from core.storage.engine import Sessions
from tests.contract.channel_conformance import RemoteChannelConformance, Store, outbound, store_for

ACCOUNT = AccountId("loop")
THREAD = "t1"


FAULTS: Mapping[Fault, DeliveryError] = {
    Fault.THROTTLED: Throttled(1.0),
    Fault.CUT_BEFORE: Unavailable("the connection broke"),
    Fault.CUT_AFTER: Uncertain("the connection broke"),
}


@dataclass
class Polled:
    """Loopback's platform; what the committed cursor has passed counts as acknowledged."""

    channel: Loopback
    store: Store
    others: AsyncExitStack
    names: list[str | None] = field(default_factory=list)  # None for what is malformed

    async def post(self, text: str, name: str) -> None:
        self.channel.platform.post(ACCOUNT, THREAD, text, remote_id=name)
        self.names.append(name)

    async def acknowledged(self) -> list[str]:
        try:
            passed = int(await self.store.intake.cursor(ACCOUNT, "events") or 0)
        except StorageUnavailable:
            return []  # nobody can have moved the cursor
        return [name for name in self.names[:passed] if name is not None]

    async def post_malformed(self) -> None:
        self.channel.platform.post(ACCOUNT, THREAD, "half a pair: \ud800")
        self.names.append(None)

    async def malformed_was_refused(self) -> bool:
        return False  # nobody to tell: it has to be kept aside

    def thread(self) -> ThreadKey:
        return ThreadKey(THREAD)

    def fail_next_send(self, fault: Fault) -> None:
        self.channel.platform.loses_answers = fault is Fault.CUT_AFTER
        self.channel.platform.faults.append(FAULTS[fault])

    async def sent(self) -> list[str]:
        return [message.body.text for message in self.channel.platform.received]

    async def edit(self, text: str, name: str) -> None:
        posted = MessagePosted(
            account=ACCOUNT,
            key=post_key(RemoteId(name)),
            thread=self.thread(),
            author=Author(address=Address("somebody")),
            at=datetime.now(UTC),
            body=Body(),
            remote_ids=(RemoteId(name),),
        )
        self.channel.platform.edit(posted, text)
        self.names.append(None)

    async def post_reversed(self, words: Sequence[str]) -> None:
        for place, word in reversed([*enumerate(words)]):
            self.channel.platform.post(ACCOUNT, THREAD, word, remote_id=word, order=f"{place:03}")
            self.names.append(word)

    async def start_another(self) -> None:
        another = Loopback(ACCOUNT, self.channel.platform)
        await self.others.enter_async_context(receiving(another, self.store))

    async def lose_credentials(self) -> None:
        raise NotImplementedError("loopback knows no credentials")


@asynccontextmanager
async def receiving(channel: Loopback, store: Store) -> AsyncIterator[None]:
    """Let a process receive while the block runs."""
    task = asyncio.create_task(channel.receive(store.intake))
    yield
    assert not task.done(), "receive ended by itself"
    pool = store.sessions.kw["bind"].pool

    async def is_idle() -> bool:
        return bool(pool.checkedout() == 0)

    # A connection to the database that is just being opened would be left open.
    await until(is_idle, every=0.01, seconds=5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def channel() -> Loopback:
    return Loopback(ACCOUNT)


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path, channel: Loopback) -> Store:
    return store_for(sessions, database_url, tmp_path, channel)


@pytest.fixture
async def platform(channel: Loopback, store: Store) -> AsyncIterator[Polled]:
    async with AsyncExitStack() as others, receiving(channel, store):
        yield Polled(channel, store, others)


class TestLoopback(RemoteChannelConformance):
    test_credentials_that_are_refused_come_with_a_remedy = None  # type: ignore[assignment]  # it has none
    test_lost_credentials_are_reported_with_a_remedy = None  # type: ignore[assignment]  # it has none

    async def test_it_goes_on_where_it_was_stopped(self, store: Store, channel: Loopback) -> None:
        for text in ("one", "two"):
            channel.platform.post(ACCOUNT, THREAD, text)
            async with AsyncExitStack() as others, receiving(channel, store):
                polled = Polled(channel, store, others, ["-"] * len(channel.platform.happened))
                async with asyncio.timeout(15):
                    while len(await polled.acknowledged()) < len(channel.platform.happened):
                        await asyncio.sleep(0.02)
        assert await store.texts() == ["one", "two"]

    @pytest.mark.parametrize(
        "fault", [Rejected("no"), Throttled(1.0), Unavailable("away"), Uncertain("broken")]
    )
    async def test_a_failed_delivery_says_what_comes_next(
        self, platform: Polled, fault: DeliveryError
    ) -> None:
        message = outbound(platform)
        platform.channel.platform.faults.append(fault)
        with pytest.raises(type(fault)):
            await platform.channel.deliver(message)
        assert await platform.channel.find_delivery(message) is None
        assert (await platform.channel.deliver(message)).remote_ids
