"""A channel that receives, what it is given to send, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram import ids
from channels.telegram.ids import Place
from channels.telegram.pace import Pace
from channels.telegram.settings import TelegramSettings
from core.domain.backoff import Backoff
from core.domain.channel import Outbound
from core.ports import Channel
from tests.unit.telegram.memory import MemoryDesk
from tests.unit.telegram.outgoing import out

PACE = Pace(
    poll=1,
    backoff=Backoff(first_seconds=0.02, longest_seconds=0.1),
    probe=0.05,
    check=0.05,
    patience=1.5,
)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def settings(telegram: TelegramPlatform, **more: Any) -> TelegramSettings:
    """Return settings that lead to `telegram`."""
    return TelegramSettings(token=SecretStr(telegram.token), api_url=telegram.url, **more)


class receiving:  # noqa: N801 - a context manager
    """Let a channel receive while the block runs."""

    def __init__(self, channel: Channel, desk: MemoryDesk) -> None:
        self.channel, self.desk = channel, desk

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.channel.receive(self.desk))

    async def __aexit__(self, *_: object) -> None:
        assert not self.task.done(), self.task
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def to(person: Person, text: str = "Good morning", **more: Any) -> Outbound:
    """Return a message to a person in private."""
    return out(text, thread=ids.thread_key(Place(chat=person.id)), **more)


def texts(telegram: TelegramPlatform) -> list[str]:
    """Return what reached people, in order."""
    return [posted.text for posted in telegram.posted]


async def eventually(holds: Callable[[], Any]) -> None:
    """Return once `holds()`; fail where it does not within seconds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)
