"""Who of several desk processes in one home runs the embedded PostgreSQL, and who only uses it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from core.domain.errors import StorageUnavailable
from core.runtime.database.postmaster import Postmaster
from core.runtime.machine.filelock import FileLock
from core.runtime.machine.home import Home

_ATTACH_SECONDS = 120.0
_LEAVE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.1


def be_silent(_line: str) -> None:
    """Say nothing; for callers whose own output must stay clean."""


class Ownership:
    """The two locks of a home's server.

    `owner` is held by the one process that started the server and will stop it. `users` is held,
    shared, by each process that came later and only uses it; an owner that leaves takes it alone
    for the time of the stop, so that it neither pulls the server from under a user nor meets one
    half-way.
    """

    def __init__(self, home: Home) -> None:
        self._owner = FileLock(home.root / "postgres.owner")
        self._users = FileLock(home.root / "postgres.users")

    async def enter(self) -> None:
        """Join the users. Waits while an owner is stopping the server."""
        if not await self._users.wait(seconds=_ATTACH_SECONDS, shared=True):
            raise StorageUnavailable(
                f"another desk has been stopping its database for {_ATTACH_SECONDS:.0f} s "
                f"(it holds {self._users.path})"
            )

    def become_owner(self) -> bool:
        """Turn from a user into the owner; return False where there is one."""
        if not self._owner.take():
            return False
        self._users.release()
        self._owner.path.write_text(f"{os.getpid()}\n")
        return True

    async def wait_for_users(self, *, seconds: float = _LEAVE_SECONDS) -> None:
        """As the owner, wait (not for ever) until nobody else uses the server; nobody can join."""
        await self._users.wait(seconds=seconds)

    def leave(self) -> None:
        """Let every lock go."""
        self._owner.release()
        self._users.release()


@asynccontextmanager
async def embedded_postgres(
    home: Path, *, say: Callable[[str], None] = be_silent
) -> AsyncIterator[str]:
    """Yield the address of the home's database, running for as long as the block does.

    Uses the server of another desk process of this home where there is one, and leaves it
    running. Otherwise starts it (or takes over what a killed desk left) and stops it at the end.

    Raises:
        StorageUnavailable: the server cannot be started or does not answer.
    """
    place = Home.at(home)
    server = Postmaster(place, say)
    ownership = Ownership(place)
    await ownership.enter()
    try:
        end = time.monotonic() + _ATTACH_SECONDS
        while not ownership.become_owner():
            if await server.answers():
                yield server.url()
                return
            if time.monotonic() > end:
                raise StorageUnavailable(
                    "another desk process runs this home's database, but it does not answer "
                    f"(see {server.log})"
                )
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        try:
            await server.start()
            yield server.url()
        finally:
            await ownership.wait_for_users()
            await server.stop()
    finally:
        ownership.leave()
