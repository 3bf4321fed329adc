"""Passwords hashed and checked: how many at once, who waits for a turn, and who is told to wait.

A hash takes 64 MiB and a core for its time, so only so many are made side by side, and so many
attempts wait for that. Places wait in turn, each for its own first, and none can fill the room:
a place gets at most half of what others have left.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.domain.errors import Busy, TooManyAttempts

MAX_PASSWORD_CHARS = 512

MOST_ATTEMPTS = 32
"""Attempts that are let in at a time: those being hashed, and those that wait for it."""

_MOST_OF_STRANGERS = 24  # the rest is for browsers in which somebody has signed in
_AT_ONCE = 2
_RETRY_SECONDS = 3.0
_T = TypeVar("_T")
_NO_PLACE = ""  # the desk's own: what an admin does at its machine


class Hashes:
    """Hashes passwords and checks them, in threads; the waiting is fair and has an end."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._decoy: str | None = None
        self._inside: Counter[str] = Counter()
        self._strangers = 0
        self._running = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextmanager
    def attempt(self, place: str, *, is_known: bool) -> Iterator[None]:
        """Let one attempt from `place` in until it is over; `is_known` of a browser of ours.

        Raises:
            TooManyAttempts: this place has too many on their way.
            Busy: all places together have.
        """
        inside = self._inside[place]
        room = MOST_ATTEMPTS - self._inside.total()
        if not is_known:
            room = min(room, _MOST_OF_STRANGERS - self._strangers)
        if 2 * inside >= room:
            raise TooManyAttempts(_RETRY_SECONDS) if inside else Busy(_RETRY_SECONDS)
        self._inside[place] += 1
        self._strangers += not is_known
        try:
            yield
        finally:
            self._strangers -= not is_known
            self._inside[place] -= 1
            if not self._inside[place]:
                del self._inside[place]

    async def hash(self, password: str, place: str = _NO_PLACE) -> str:
        """Return what is kept of `password`."""
        return await self._in_turn(place, lambda: self._hasher.hash(_bytes(password)))

    async def matches(self, hashed: str | None, password: str, place: str) -> bool:
        """Say whether `hashed` was made of `password`; without one it takes as long to say no."""
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_urlsafe(16), place)
        if len(password) > MAX_PASSWORD_CHARS:
            return False
        looked_at = hashed or self._decoy
        try:
            await self._in_turn(place, lambda: self._hasher.verify(looked_at, _bytes(password)))
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    async def renewed(self, hashed: str, password: str, place: str) -> str | None:
        """Return another hash of `password` where `hashed` is weaker than they are made now."""
        is_weaker = self._hasher.check_needs_rehash(hashed)
        return await self.hash(password, place) if is_weaker else None

    async def _in_turn(self, place: str, work: Callable[[], _T]) -> _T:
        if self._running < _AT_ONCE:
            self._running += 1
        else:
            await self._wait(place)
        try:
            hashed = asyncio.get_running_loop().run_in_executor(None, work)
        except BaseException:
            self._pass_on()
            raise
        hashed.add_done_callback(self._ended)
        # Not awaited itself: a thread goes on when its caller is cancelled, and so does its turn.
        await asyncio.wait((hashed,))
        return hashed.result()

    def _ended(self, hashed: asyncio.Future[_T]) -> None:
        if not hashed.cancelled():
            hashed.exception()  # of a caller that was cancelled nobody else asks for it
        self._pass_on()

    async def _wait(self, place: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(place, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was this one's turn already
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the turn that ends to the next place's first; places take turns."""
        while self._waiting:
            place, line = self._waiting.popitem(last=False)
            turn = line.popleft()
            if line:
                self._waiting[place] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")
