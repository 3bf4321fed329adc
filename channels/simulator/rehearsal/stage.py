"""What a simulated platform offers a rehearsal."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Protocol, runtime_checkable
from uuid import UUID

from channels.simulator.rehearsal.script import File, Kind

Tell = Callable[[], Awaitable[None]]
"""Tells the desk of something and returns once the platform considers it delivered.

May be called again: then the platform tells it once more.
"""


class Stage(Protocol):
    """A platform on loopback with conversations on it, which are known by their numbers from 0.

    What people do is done when the method returns; nobody has told the desk yet.
    """

    inlet: str  # the way by which it tells the desk

    def running(self, talks: int) -> AbstractAsyncContextManager[None]:
        """Run the platform, with people for so many conversations, while the block runs."""

    def settings(self) -> Mapping[str, str]:
        """Return the settings of the account that leads here, as an admin would write them."""

    def serve(self, address: str) -> None:
        """Tell the desk by calls to `address`, where the inlet is one that is called."""

    def place(self, talk: int) -> Kind:
        """Return where a conversation is held; in places for several, people write in turn."""

    def say(self, talk: int, text: str) -> tuple[object, Tell]:
        """Let the next of a conversation's people write to the desk.

        Returns the message besides, as the protocols below take it.
        """

    def throttle(self, chance: Random) -> None:
        """Ask the desk to wait when it next sends or asks for something."""

    async def cut(self, chance: Random) -> None:
        """Cut a connection: one of those to come, or all that are open."""

    def heard(self) -> Sequence[int]:
        """Return how many messages of the desk have been seen in each conversation."""


@runtime_checkable
class SendsFiles(Protocol):
    """People can send a file with their words."""

    def say_with_file(self, talk: int, text: str, file: File) -> tuple[object, Tell]:
        """Let the next of a conversation's people write and send `file`; see `Stage.say`."""


@runtime_checkable
class SendsAlbums(Protocol):
    """People can send several files at once, which are messages of their own."""

    def say_album(
        self, talk: int, parts: Sequence[tuple[str, File]]
    ) -> tuple[Sequence[object], Tell]:
        """Let somebody send files with a caption each; return a message for each."""


@runtime_checkable
class Edits(Protocol):
    """Messages can be written anew."""

    def edit(self, message: object, text: str) -> Tell:
        """Let the author of a message change it."""


@runtime_checkable
class Deletes(Protocol):
    """Messages can be taken back, and the desk is told."""

    def delete(self, message: object) -> Tell:
        """Let the author of a message delete it."""


@runtime_checkable
class Presses(Protocol):
    """The desk's messages have buttons."""

    def press(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """Let somebody press a button under a message of the desk where nobody has pressed one.

        Returns the choice behind it; None where there is no such button.
        """

    def press_again(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """Let somebody press a button, as they still see it, where one was pressed before.

        Each message is pressed again once at most. Returns the choice behind the button; None
        where there is no such message.
        """


@runtime_checkable
class SpeaksAside(Protocol):
    """Things are said where the desk is, and not to it."""

    def say_aside(self, talk: int, text: str) -> Tell | None:
        """Let somebody say something to the others; None where there are no others."""


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


def in_order(tells: Sequence[Tell]) -> Tell:
    """Return what tells one thing after the other."""

    async def tell() -> None:
        for one in tells:
            await one()

    return tell
