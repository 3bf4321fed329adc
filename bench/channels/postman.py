"""Tells a receiver what happened on the simulated Slack, repeats as Slack does, and times it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from channels.simulator.slack import News, SlackPlatform

ANSWER_SECONDS = 3.0
"""What Slack waits for an acknowledgement."""

_AT_ONCE = 16
_FIRST_PAUSE_SECONDS = 1.0
_LAST_PAUSE_SECONDS = 5.0
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Acknowledgements:
    """What came of requests that were each sent once."""

    waits: list[float] = field(default_factory=list)  # seconds; refused ones count as the longest
    refused: int = 0


class Postman:
    """Carries the news of one platform to one address. An async context manager."""

    def __init__(self, platform: SlackPlatform, address: str) -> None:
        self.platform = platform
        self.given_up = 0  # news that were not acknowledged after the last repetition
        self.is_up = asyncio.Event()  # whether the receiver is there; repetitions wait for it
        self.is_up.set()
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def written(self, text: str) -> tuple[str, News]:
        """Let a new person write to the app directly; return their channel, and the news of it."""
        person = self.platform.person(f"Person {self.platform.workspace.number()}")
        return person.direct, self.platform.posting(self.platform.compose(person, text))

    async def tell(self, news: News) -> None:
        """Tell `news`; repeat it up to three times where it is not acknowledged.

        Slack repeats almost at once, after a minute and after five. Here the pauses after the
        first end soon after the receiver is back, so that no repetition is lost to its absence.
        """
        for number in range(4):
            if number == 1:
                await asyncio.sleep(_FIRST_PAUSE_SECONDS)
            elif number > 1:
                await self.is_up.wait()
            if number == 3:
                await asyncio.sleep(_LAST_PAUSE_SECONDS)
                await self.is_up.wait()
            if await self._request(news, number) is not None:
                return
        self.given_up += 1

    async def tell_all(self, news: Iterable[News]) -> None:
        """Tell all as fast as acknowledgements come, so many requests at once."""
        waiting = list(reversed(list(news)))

        async def carry() -> None:
            while waiting:
                await self.tell(waiting.pop())

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(carry())

    async def tell_at(self, per_second: float, news: Sequence[News]) -> Acknowledgements:
        """Tell each once, at a steady rate whatever the receiver does."""
        found = Acknowledgements()

        async def carry(one: News) -> None:
            seconds = await self._request(one, 0)
            found.refused += seconds is None
            found.waits.append(ANSWER_SECONDS if seconds is None else seconds)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(news):
                await asyncio.sleep(max(began + number / per_second - time.perf_counter(), 0))
                group.create_task(carry(one))
        return found

    async def _request(self, news: News, number: int) -> float | None:
        """Return the seconds until the acknowledgement, or None where there was none."""
        assert self._session is not None
        body, headers = self.platform.telling.signed(news)
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_error"}
        began = time.perf_counter()
        try:
            async with self._session.post(
                self._address,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            ) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return time.perf_counter() - began if 200 <= status < 300 else None

    async def answered(self, channels: set[str], *, patience: float) -> dict[str, float]:
        """Return when each channel was first written to by the app, in seconds since 1970.

        Ends when all were, or when `patience` seconds went by without another.
        """
        found: dict[str, float] = {}
        last = time.monotonic()
        while True:
            known = len(found)
            for message in self.platform.sent():
                if message.channel in channels:
                    found.setdefault(message.channel, float(message.ts))
            if len(found) > known:
                last = time.monotonic()
            if len(found) == len(channels) or time.monotonic() - last > patience:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    async def settled(self, *, quiet: float, seconds: float) -> None:
        """Return once the app has written nothing for `quiet` seconds, or after `seconds`."""
        end = time.monotonic() + seconds
        count, since = len(self.platform.sent()), time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            await asyncio.sleep(_POLL_SECONDS)
            if (now := len(self.platform.sent())) != count:
                count, since = now, time.monotonic()
