"""A rehearsal on the simulated Telegram: everybody writes to the bot in private."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from channels.simulator.faults import Fault
from channels.simulator.rehearsal.stage import Acknowledgements, Tell
from channels.simulator.telegram import Person, TelegramPlatform
from channels.simulator.telegram.updates import REQUEST

INLETS = ("polling", "webhook")
_SEND = "sendMessage"
_ASK = "getUpdates"


class TelegramStage:
    """Implements `Stage`."""

    def __init__(self, inlet: str) -> None:
        self.inlet = inlet
        self._platform = TelegramPlatform()
        self._people: list[Person] = []
        self._told = Acknowledgements()

    @asynccontextmanager
    async def running(self, people: int) -> AsyncIterator[None]:
        """See `Stage.running`."""
        self._platform.updates.on_acknowledged = self._acknowledged
        async with self._platform:
            self._people = [self._platform.person(f"Rehearsal {n}") for n in range(people)]
            yield

    def _acknowledged(self, update: Mapping[str, Any]) -> None:
        if "message" in update:
            self._told.came(_name(update["message"]))

    def settings(self) -> Mapping[str, str]:
        """See `Stage.settings`."""
        return {
            "token": self._platform.token,
            "api_url": self._platform.url,
            "mode": self.inlet,
        }

    def serve(self, address: str) -> None:
        """See `Stage.serve`: the desk itself says to Telegram where it is to be called."""

    def say(self, person: int, text: str) -> Tell:
        """See `Stage.say`."""
        message = self._people[person].compose(text)
        return lambda: self._tell(message)

    async def _tell(self, message: dict[str, Any]) -> None:
        acknowledged = self._told.expect(_name(message))
        await self._platform.updates.tell("message", message)
        await acknowledged

    def throttle(self) -> None:
        """See `Stage.throttle`."""
        self._platform.faults.plan(Fault.THROTTLED, method=_SEND)

    async def cut(self, chance: Random) -> None:
        """See `Stage.cut`."""
        method = _SEND
        if chance.random() < 0.5:
            method = _ASK if self.inlet == "polling" else REQUEST
        fault = chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER))
        self._platform.faults.plan(fault, method=method)

    def heard(self) -> Sequence[int]:
        """See `Stage.heard`."""
        counted = Counter(posted.chat for posted in self._platform.posted)
        return [counted[person.id] for person in self._people]


def _name(message: Mapping[str, Any]) -> str:
    return f"{message['chat']['id']}/{message['message_id']}"
