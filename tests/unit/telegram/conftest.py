from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram.channel import PollingTelegram
from tests.unit.telegram.memory import ACCOUNT, MemoryDesk
from tests.unit.telegram.rig import PACE, settings


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramPlatform]:
    async with TelegramPlatform() as platform:
        yield platform


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
async def channel(telegram: TelegramPlatform, desk: MemoryDesk) -> AsyncIterator[PollingTelegram]:
    channel = PollingTelegram(ACCOUNT, settings(telegram), desk.context(), pace=PACE)
    yield channel
    await channel.close()


@pytest.fixture
def ana(telegram: TelegramPlatform) -> Person:
    ana = telegram.person("Ana", language="es")
    ana.chat.has_spoken = True
    return ana
