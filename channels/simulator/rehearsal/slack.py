"""A rehearsal on the simulated Slack: everybody writes to the desk directly."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

from channels.simulator.faults import Fault
from channels.simulator.rehearsal.stage import Acknowledgements, Tell
from channels.simulator.slack import News, Person, SlackPlatform
from channels.simulator.slack.news import REQUEST

INLETS = ("socket", "events")
_RETRIES_SECONDS = (0.1, 1.0, 5.0)
"""The last of them again and again: Slack would give up after three, in some five minutes, and a
rehearsal has as many outages in a minute as a desk in a year."""
_REQUESTS_AT_ONCE = 16
_SEND = "chat.postMessage"


class SlackStage:
    """Implements `Stage`."""

    def __init__(self, inlet: str) -> None:
        self.inlet = inlet
        self._platform = SlackPlatform()
        self._people: list[Person] = []
        self._told = Acknowledgements()

    @asynccontextmanager
    async def running(self, people: int) -> AsyncIterator[None]:
        """See `Stage.running`."""
        telling = self._platform.telling
        telling.on_acknowledged = self._told.came
        telling.retry_seconds, telling.gives_up = _RETRIES_SECONDS, False
        telling.at_once = _REQUESTS_AT_ONCE
        async with self._platform:
            self._people = [
                # A domain that nobody has: the desk must not take them for real people.
                self._platform.person(f"Rehearsal {n}", email=f"person-{n}@rehearsal.invalid")
                for n in range(people)
            ]
            yield

    def settings(self) -> Mapping[str, str]:
        """See `Stage.settings`."""
        platform = self._platform
        way = (
            {"app_token": platform.app_token}
            if self.inlet == "socket"
            else {"signing_secret": platform.signing_secret}
        )
        return {"bot_token": platform.bot_token, "api_url": platform.url, **way}

    def serve(self, address: str) -> None:
        """See `Stage.serve`."""
        if self.inlet == "events":
            self._platform.deliver_to(f"{address}/events")

    def say(self, person: int, text: str) -> Tell:
        """See `Stage.say`."""
        news = self._platform.posting(self._platform.compose(self._people[person], text))
        return lambda: self._tell(news)

    async def _tell(self, news: News) -> None:
        acknowledged = self._told.expect(news.id)
        await self._platform.telling.tell(news)
        await acknowledged

    def throttle(self) -> None:
        """See `Stage.throttle`."""
        self._platform.faults.plan(Fault.THROTTLED, method=_SEND)

    async def cut(self, chance: Random) -> None:
        """See `Stage.cut`."""
        fault = chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER))
        if chance.random() < 0.5:
            self._platform.faults.plan(fault, method=_SEND)
        elif self.inlet == "events":
            self._platform.faults.plan(fault, method=REQUEST)
        else:
            await self._platform.telling.hang_up()

    def heard(self) -> Sequence[int]:
        """See `Stage.heard`."""
        counted = Counter(message.channel for message in self._platform.sent())
        return [counted[person.direct] for person in self._people]
