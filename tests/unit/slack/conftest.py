from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from obstore.store import MemoryStore

from channels.simulator.slack import Person, SlackPlatform
from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from core.adapters.blobs import ObjectBlobs
from core.runtime.machine.polling import until
from tests.support.slack import Shelf, channel_context
from tests.unit.slack.rig import ACCOUNT, Kept


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlatform]:
    async with SlackPlatform() as slack:
        yield slack


@pytest.fixture
def ana(slack: SlackPlatform) -> Person:
    return slack.person("Ana Gil", email="ana@example.com", locale="es-ES")


@pytest.fixture
def blobs() -> ObjectBlobs:
    return ObjectBlobs(MemoryStore)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def channel(slack: SlackPlatform, blobs: ObjectBlobs, shelf: Shelf) -> AsyncIterator[Slack]:
    settings = SlackSettings.model_validate(
        {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
    )
    channel = open_slack(ACCOUNT, settings, channel_context(blobs, shelf))
    yield channel
    await channel.close()


@pytest.fixture
async def inbox(channel: Slack, slack: SlackPlatform) -> AsyncIterator[Kept]:
    kept = Kept()
    receiving = asyncio.create_task(channel.receive(kept))

    async def connected() -> bool:
        return slack.telling.sockets == 1

    assert await until(connected, every=0.01, seconds=10)
    yield kept
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving
