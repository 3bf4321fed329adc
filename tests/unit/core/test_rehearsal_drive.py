"""What people do in a rehearsal: a short one has all of it, too."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID, uuid4

import pytest

from channels.simulator.rehearsal.drive import Drive, Trouble
from channels.simulator.rehearsal.script import File, Kind
from channels.simulator.rehearsal.stage import Tell

ON_THE_WAY = frozenset({Trouble.DUPLICATE, Trouble.REORDER, Trouble.THROTTLE, Trouble.CUT})


class Square:
    """A stage on which everything can be done, and everybody is told at once."""

    inlet = "air"

    def __init__(self) -> None:
        self.buttons = 1
        self.pressed: UUID | None = None
        self.looked = 0  # how often somebody looked for a button

    @asynccontextmanager
    async def running(self, talks: int) -> AsyncIterator[None]:
        yield

    def settings(self) -> Mapping[str, str]:
        return {}

    def serve(self, address: str) -> None: ...

    def place(self, talk: int) -> Kind:
        return Kind.DIRECT

    def say(self, talk: int, text: str) -> tuple[object, Tell]:
        return object(), self._tell

    def say_with_file(self, talk: int, text: str, file: File) -> tuple[object, Tell]:
        return object(), self._tell

    def say_album(
        self, talk: int, parts: Sequence[tuple[str, File]]
    ) -> tuple[Sequence[object], Tell]:
        return [object() for _ in parts], self._tell

    def edit(self, message: object, text: str) -> Tell:
        return self._tell

    def delete(self, message: object) -> Tell:
        return self._tell

    def say_aside(self, talk: int, text: str) -> Tell | None:
        return self._tell

    def press(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        self.looked += 1
        if self.looked <= self.buttons:
            return None
        self.pressed = uuid4()
        return self.pressed, self._tell

    def press_again(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        return None if self.pressed is None else (self.pressed, self._tell)

    def throttle(self, chance: Random) -> None: ...

    async def cut(self, chance: Random) -> None: ...

    def heard(self) -> Sequence[int]:
        return []

    async def _tell(self) -> None: ...


class Seldom(Random):
    """Chance by which nothing happens that need not, and nobody waits."""

    def random(self) -> float:
        return 0.99

    def uniform(self, a: float, b: float) -> float:
        return 0.0


def drive(stage: Square, messages: int, *, clock: Callable[[], float] | None = None) -> Drive:
    return Drive(
        stage,
        conversations=2,
        messages=messages,
        questions=(),
        troubles=ON_THE_WAY,
        per_second=1_000.0,
        chance=Seldom(1),
        clock=clock or itertools.count(100.0).__next__,
    )


async def test_what_chance_does_not_bring_comes_once_all_the_same() -> None:
    driven = drive(Square(), 40)
    await driven.run()
    once = (Kind.FILE, Kind.EDIT, Kind.DELETION, Kind.ASIDE)
    assert [driven.done[kind] for kind in once] == [1] * 4
    assert driven.done[Kind.PRESS] == driven.done[Kind.STALE] == 3  # and one of each at each end
    assert driven.done[Kind.ALBUM] == 3  # messages of one
    assert driven.suffered == dict.fromkeys(ON_THE_WAY, 1)
    assert driven.accepted == driven.done
    assert driven.delivered == driven.spoken == 40


async def test_a_rehearsal_of_a_few_messages_leaves_it_to_chance() -> None:
    square = Square()
    square.buttons = 1_000_000  # none is shown
    driven = drive(square, 10)
    await driven.run()
    assert driven.done == {Kind.DIRECT: 10}
    assert not driven.suffered


async def test_a_button_that_comes_after_the_last_word_is_waited_for() -> None:
    square = Square()
    square.buttons = 60  # looks, more than there are messages
    driven = drive(square, 40)
    await driven.run()
    assert driven.done[Kind.PRESS] == 1


async def test_a_button_that_never_comes_is_given_up() -> None:
    square = Square()
    square.buttons = 1_000_000
    driven = drive(square, 40, clock=itertools.count(100.0, 30.0).__next__)
    await driven.run()
    assert driven.done[Kind.PRESS] == 0


@pytest.mark.parametrize("messages", [20, 60, 150])
async def test_by_real_chance_everything_comes_too(messages: int) -> None:
    driven = Drive(
        Square(),
        conversations=2,
        messages=messages,
        questions=("what is this?",),
        troubles=ON_THE_WAY,
        per_second=100_000.0,
        chance=Hasty(messages),
    )
    await driven.run()
    assert set(driven.done) >= {Kind.FILE, Kind.DELETION, Kind.PRESS, Kind.ASIDE, Kind.ALBUM}
    assert set(driven.suffered) == ON_THE_WAY


class Hasty(Random):
    """Real chance, but nobody waits."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0
