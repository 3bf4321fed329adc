"""The people of a rehearsal: what they say, in which order, and the trouble on the way."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from random import Random

from channels.simulator.rehearsal.stage import Stage, Tell

_TAG = re.compile(r"\((\d+)-(\d+)\)")
_PHRASES = ("hello", "thanks", "what can you do?", "who are you?")
_SMALL_TALK = 0.3  # the rest are questions
_DUPLICATED = 0.1
_REORDERED = 0.1
_THROTTLED = 0.02
_CUT = 0.04
_SWAPPED_WITHIN_SECONDS = 1.0
_TOLD_AGAIN_WITHIN_SECONDS = 2.0


class Trouble(StrEnum):
    """What a rehearsal can be asked to suffer."""

    DUPLICATE = "duplicate"  # what happened is told again
    REORDER = "reorder"  # two messages of a person are told the wrong way round
    THROTTLE = "429"  # the platform asks the desk to wait
    CUT = "cut"  # connections end, before and after the request was read, either way
    CRASH = "crash"  # processes of the desk are killed
    GREYLIST = "greylist"  # mail: the first attempt is refused for the moment
    LOOP = "loop"  # mail: a program answers everything


@dataclass(slots=True)
class Person:
    """One of the people, and the texts they have said so far, in order."""

    number: int
    said: list[str] = field(default_factory=list)


def tag_of(text: str) -> tuple[int, int] | None:
    """Return whose message a text is and which of theirs, as `Drive` has marked it."""
    found = _TAG.search(text)
    return None if found is None else (int(found[1]), int(found[2]))


class Drive:
    """Lets people talk: each of them in order, all of them side by side."""

    def __init__(
        self,
        stage: Stage,
        *,
        people: int,
        messages: int,
        questions: Sequence[str],
        troubles: frozenset[Trouble],
        per_second: float,
        chance: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_second` is how many messages come from all of them together, at most."""
        self._stage = stage
        self._messages = messages
        self._questions = questions or _PHRASES
        self._troubles = troubles
        self._pause_seconds = people / per_second
        self._chance = chance
        self._clock = clock
        self.people = [Person(number) for number in range(people)]
        self.delivered = 0
        self.delays_seconds: list[float] = []
        """From the first attempt to tell the desk of a message to its acknowledgement."""

    @property
    def spoken(self) -> int:
        """How many messages have been said."""
        return sum(len(person.said) for person in self.people)

    async def run(self) -> None:
        """Return once everything is said and delivered."""
        share, more = divmod(self._messages, len(self.people))
        async with asyncio.TaskGroup() as talks:
            for person in self.people:
                talks.create_task(self._talk(person, share + (person.number < more)))

    async def _talk(self, person: Person, messages: int) -> None:
        while len(person.said) < messages:
            await asyncio.sleep(self._chance.uniform(0, 2 * self._pause_seconds))
            is_swapped = self._happens(Trouble.REORDER, _REORDERED)
            some = min(2 if is_swapped else 1, messages - len(person.said))
            tells = [self._say(person) for _ in range(some)]
            if self._happens(Trouble.THROTTLE, _THROTTLED):
                self._stage.throttle()
            if self._happens(Trouble.CUT, _CUT):
                await self._stage.cut(self._chance)
            async with asyncio.TaskGroup() as telling:
                for place, tell in enumerate(reversed(tells)):
                    pause = place * self._chance.uniform(0, _SWAPPED_WITHIN_SECONDS)
                    telling.create_task(_later(pause, partial(self._deliver, tell)))
                    if self._happens(Trouble.DUPLICATE, _DUPLICATED):
                        again = pause + self._chance.uniform(0, _TOLD_AGAIN_WITHIN_SECONDS)
                        telling.create_task(_later(again, tell))

    def _happens(self, trouble: Trouble, probability: float) -> bool:
        return trouble in self._troubles and self._chance.random() < probability

    def _say(self, person: Person) -> Tell:
        words = _PHRASES if self._chance.random() < _SMALL_TALK else self._questions
        text = f"{self._chance.choice(words)} ({person.number}-{len(person.said)})"
        person.said.append(text)
        return self._stage.say(person.number, text)

    async def _deliver(self, tell: Tell) -> None:
        began = self._clock()
        await tell()
        self.delays_seconds.append(self._clock() - began)
        self.delivered += 1


async def _later(seconds: float, act: Tell) -> None:
    await asyncio.sleep(seconds)
    await act()
