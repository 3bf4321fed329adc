"""Loopback keeps what every channel promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from channels.loopback import Loopback
from core.domain.errors import (
    DeliveryError,
    Rejected,
    StorageUnavailable,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import AccountId, ThreadKey
from core.ports import FindsDeliveries
from core.storage.engine import Sessions
from tests.contract.channel_conformance import ChannelConformance, Store, outbound, store_for

ACCOUNT = AccountId("loop")
THREAD = "t1"


@dataclass
class Polled:
    """Loopback's platform; what the committed cursor has passed counts as acknowledged."""

    channel: Loopback
    store: Store
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


@pytest.fixture
def channel() -> Loopback:
    return Loopback(ACCOUNT)


@pytest.fixture
def store(sessions: Sessions, database_url: str, tmp_path: Path, channel: Loopback) -> Store:
    return store_for(sessions, database_url, tmp_path, channel)


@pytest.fixture
async def platform(channel: Loopback, store: Store) -> AsyncIterator[Polled]:
    receiving = asyncio.create_task(channel.receive(store.intake))
    yield Polled(channel, store)
    assert not receiving.done(), "receive ended by itself"
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving


class TestLoopback(ChannelConformance):
    async def test_it_goes_on_where_it_was_stopped(self, store: Store, channel: Loopback) -> None:
        for text in ("one", "two"):
            channel.platform.post(ACCOUNT, THREAD, text)
            receiving = asyncio.create_task(channel.receive(store.intake))
            polled = Polled(channel, store, ["-"] * len(channel.platform.happened))
            async with asyncio.timeout(15):
                while len(await polled.acknowledged()) < len(channel.platform.happened):
                    await asyncio.sleep(0.02)
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving
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

    async def test_a_connection_cut_after_the_request_is_uncertain_and_can_be_verified(
        self, platform: Polled
    ) -> None:
        message = outbound(platform)
        platform.channel.platform.loses_answers = True
        platform.channel.platform.faults.append(Uncertain("the connection broke"))
        with pytest.raises(Uncertain):
            await platform.channel.deliver(message)
        assert isinstance(platform.channel, FindsDeliveries)
        assert await platform.channel.find_delivery(message) is not None
