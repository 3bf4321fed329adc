"""What a simulated platform offers a rehearsal."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Protocol

Tell = Callable[[], Awaitable[None]]
"""Tells the desk of something and returns once the platform considers it delivered.

May be called again: then the platform tells it once more.
"""


class Stage(Protocol):
    """A platform on loopback with people on it, who are known by their numbers from 0."""

    inlet: str  # the way by which it tells the desk

    def running(self, people: int) -> AbstractAsyncContextManager[None]:
        """Run the platform, with so many people, while the block runs."""

    def settings(self) -> Mapping[str, str]:
        """Return the settings of the account that leads here, as an admin would write them."""

    def serve(self, address: str) -> None:
        """Tell the desk by calls to `address`, where the inlet is one that is called."""

    def say(self, person: int, text: str) -> Tell:
        """Let somebody write to the desk; nobody has told it yet."""

    def throttle(self) -> None:
        """Ask the desk to wait when it sends the next message."""

    async def cut(self, chance: Random) -> None:
        """Cut a connection: one of those to come, or all that are open."""

    def heard(self) -> Sequence[int]:
        """Return how many messages of the desk have reached each of the people."""


class Acknowledgements:
    """Those who wait until something is acknowledged, by its name."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)

    def expect(self, name: str) -> asyncio.Future[None]:
        """Return what is done once `name` is acknowledged, counted from now."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[name].append(future)
        return future

    def came(self, name: str) -> None:
        """Let those who wait for `name` go on."""
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(None)
