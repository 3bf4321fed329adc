"""How long guessing at passwords has to wait, by e-mail address and by remote address.

A browser in which somebody signed in before has its own count for their address, so that nobody
can keep them out by guessing at their password from elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.domain.errors import TooManyAttempts
from core.domain.ids import new_id
from core.domain.places import address_of, place_of
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import SignInFailure

FREE_FAILURES = 4
"""Failures before the first wait: people mistype."""

_FREE_FAILURES_OF_A_PLACE = 20  # many people may share one remote address
_LONGEST_WAIT_SECONDS = 300.0
_FORGOTTEN_AFTER = timedelta(hours=24)
_BROWSER = "browser:"


def wait_seconds(failures: int, free: int) -> float:
    """Return how long the next attempt waits after `failures` in a row."""
    return 0.0 if failures < free else min(2.0 ** min(failures - free, 20), _LONGEST_WAIT_SECONDS)


class GuessingGuard:
    """Counts failed sign-ins; keeps no address, only keyed digests."""

    def __init__(self, sessions: Sessions, key: bytes, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._key = key
        self._now = now

    def known_browser(self, email: str) -> str:
        """Return what a browser shows by the next time, to be known as one of `email`'s."""
        nonce = secrets.token_hex(16)
        return f"{nonce}.{self._of_browser(nonce, email)}"

    def place(self, email: str, remote: str, browser: str | None = None) -> tuple[str, bool]:
        """Return where an attempt comes from, and whether that is a browser known for `email`."""
        *_, subject = self._subjects(email, remote, browser)
        return subject, subject.startswith(_BROWSER)

    async def count(self, email: str, remote: str, browser: str | None = None) -> None:
        """Count an attempt as failed until `forget` says otherwise.

        `browser` is what `known_browser` gave it; anything else counts as none.

        Raises:
            TooManyAttempts: it must wait, and was not counted.
        """
        free = self._subjects(email, remote, browser)
        async with storage_errors(), self._sessions.begin() as session:
            now = self._now()
            await session.execute(
                upsert(SignInFailure)
                .values(
                    [
                        {"id": new_id(), "subject": subject, "failures": 0, "last_at": now}
                        for subject in sorted(free)
                    ]
                )
                .on_conflict_do_nothing(index_elements=["subject"])
            )
            rows = await session.scalars(
                select(SignInFailure)
                .where(SignInFailure.subject.in_(free))
                .order_by(SignInFailure.subject)
                .with_for_update()
            )
            found = rows.all()
            waits = [self._wait(row, free[row.subject], now) for row in found]
            if max(waits) > 0:
                raise TooManyAttempts(max(waits))
            for row in found:
                row.failures = 1 if now - row.last_at > _FORGOTTEN_AFTER else row.failures + 1
                row.last_at = now

    async def forget(self, email: str, remote: str, browser: str | None = None) -> None:
        """Say that the attempt just counted was right."""
        own, *shared = self._subjects(email, remote, browser)
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(SignInFailure).where(SignInFailure.subject == own))
            # One attempt back, not all: who has one password must not get free guesses at others.
            await session.execute(
                update(SignInFailure)
                .where(SignInFailure.subject.in_(shared), SignInFailure.failures > 0)
                .values(failures=SignInFailure.failures - 1)
            )

    async def forget_old(self) -> None:
        """Delete failures that count no more."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(SignInFailure).where(SignInFailure.last_at < self._now() - _FORGOTTEN_AFTER)
            )

    def _subjects(self, email: str, remote: str, browser: str | None) -> dict[str, int]:
        """Return what an attempt counts for, their own first, with how many failures are free."""
        nonce, _, shown = (browser or "").partition(".")
        right = self._of_browser(nonce, email)
        if hmac.compare_digest(shown.encode(errors="replace"), right.encode()):
            return {f"{_BROWSER}{right}": FREE_FAILURES}
        address = address_of(remote)
        place = remote if address is None else place_of(address)
        return {
            f"email:{self._digest('email', email)}": FREE_FAILURES,
            f"remote:{self._digest('remote', place)}": _FREE_FAILURES_OF_A_PLACE,
        }

    def _of_browser(self, nonce: str, email: str) -> str:
        return self._digest("browser", f"{nonce}\n{email}")

    def _digest(self, kind: str, words: str) -> str:
        content = f"sign-in {kind}\n{words}".encode(errors="replace")
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()[:32]

    def _wait(self, row: SignInFailure, free: int, now: datetime) -> float:
        if now - row.last_at > _FORGOTTEN_AFTER:
            return 0.0
        return wait_seconds(row.failures, free) - (now - row.last_at).total_seconds()
