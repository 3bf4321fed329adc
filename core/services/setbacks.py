"""Does what is due one by one, or together while that goes well; what raises is set aside.

A ticket whose turn raises holds up neither the others nor what else the worker does: it is tried
again later and later, and admins see it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from core.domain.errors import ConversationErased, NotTakenYet, StorageUnavailable, Unavailable
from core.domain.setbacks import Chore, pause_after, pause_of_all_after
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Setback

T = TypeVar("T")
_LOGGER = logging.getLogger(__name__)
_WHOLE = UUID(int=0)
_MOST_CHARS = 300
_KEPT = timedelta(days=2)  # longer than the longest pause: what is still due has come by again


def _itself(one: Any) -> UUID:
    return UUID(str(one))


class Setbacks:
    """What one chore waits with."""

    def __init__(
        self,
        sessions: Sessions,
        chore: Chore | str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._chore = str(chore)
        self._now = now

    def is_free(self, item: Any) -> ColumnElement[bool]:
        """Return the condition that the thing with the id `item` is not set aside just now."""
        return ~exists().where(
            Setback.chore == self._chore, Setback.item == item, Setback.next_at > self._now()
        )

    async def each(
        self,
        due: Iterable[T],
        do: Callable[[T], Awaitable[object]],
        of: Callable[[T], UUID] = _itself,
    ) -> None:
        """Do each of `due`; `of` tells its id. What is erased meanwhile is passed over.

        Several may have one id: after one of them raises, the later ones wait with it. Where one
        raises `Unavailable`, that one and the rest are left for another time, as they were: it is
        no fault of theirs, and they were not tried. `NotTakenYet` is about that one alone, which
        is set aside.
        """
        due = list(due)
        known = await self._known(map(of, due))
        failed: set[UUID] = set()
        for one in due:
            if of(one) in failed:
                continue
            try:
                await do(one)
            except StorageUnavailable:
                raise
            except NotTakenYet as error:
                _LOGGER.warning("%s: %s waits: %s", self._chore, of(one), error)
                failed.add(of(one))
                await self._keep(of(one), error)
                continue
            except Unavailable as error:
                _LOGGER.warning("%s: %s and the rest wait: %s", self._chore, of(one), error)
                return
            except ConversationErased:
                _LOGGER.info("%s: %s was erased meanwhile", self._chore, of(one))
            except Exception as error:  # noqa: BLE001  # kept, logged and shown to admins
                failed.add(of(one))
                await self.note(of(one), error)
                continue
            if of(one) in known:
                await self.forget(of(one))

    async def together(
        self,
        due: Sequence[T],
        do: Callable[[Sequence[T]], Awaitable[int]],
        of: Callable[[T], UUID] = _itself,
    ) -> int:
        """Do all of `due` in one go, one by one if that raises; return the sum of what `do` did."""
        known = await self._known(map(of, due))
        if not known:
            try:
                return await do(due)
            except StorageUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # whose it was is found out one by one
                _LOGGER.info("%s: %d are done one by one: %r", self._chore, len(due), error)
        count = 0

        async def alone(one: T) -> None:
            nonlocal count
            count += await do([one])

        await self.each(due, alone, of)
        return count

    async def drawn(self, do: Callable[[int, list[UUID]], Awaitable[int]], at_once: int) -> int:
        """Have `do` draw up to `at_once` things and do them; return how many it did.

        It writes the ids of those it drew in the list that it is given. If it raises, they are
        drawn one at a time: only those are drawn for which `is_free` holds.
        """
        ids: list[UUID] = []
        try:
            count = await do(at_once, ids)
        except StorageUnavailable:
            raise
        except Exception as error:
            if not ids:
                raise
            if len(ids) == 1:
                await self.note(ids[0], error)
                return 0
            _LOGGER.info("%s: %d are done one by one: %r", self._chore, len(ids), error)
        else:
            if ids:
                await self.forget(*ids)
            return count
        return sum([await self.drawn(do, 1) for _ in ids])

    async def note(self, item: UUID, error: Exception) -> None:
        """Set something aside because of `error`."""
        _LOGGER.error("%s: %s is set aside", self._chore, item, exc_info=error)
        await self._keep(item, error)

    async def _keep(self, item: UUID, error: Exception) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(Setback, (self._chore, item), with_for_update=True)
            tries = 1 if row is None else row.tries + 1
            now = self._now()
            values = {
                "error": _in_a_line(error),
                "tries": tries,
                "failed_at": now,
                "next_at": now + pause_after(tries),
            }
            await session.execute(
                upsert(Setback)
                .values(chore=self._chore, item=item, **values)
                .on_conflict_do_update(index_elements=["chore", "item"], set_=values)
            )

    async def _known(self, items: Iterable[UUID]) -> frozenset[UUID]:
        wanted = list(items)
        if not wanted:
            return frozenset()
        async with storage_errors(), self._sessions() as session:
            return frozenset(
                await session.scalars(
                    select(Setback.item).where(
                        Setback.chore == self._chore, Setback.item.in_(wanted)
                    )
                )
            )

    async def forget(self, *items: UUID) -> None:
        """Note that things went well at last, or are not to be tried any more."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(Setback).where(Setback.chore == self._chore, Setback.item.in_(items))
            )


class WholeDuties:
    """Duties that see to one thing after another themselves; one that raises stops no other."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._tries: dict[str, tuple[int, datetime]] = {}  # failures, and not before when
        self._well: set[str] = set()  # what an earlier process noted of these is forgotten

    async def do(self, duty: Callable[[], Awaitable[object]]) -> None:
        """Do a duty, unless it failed a short while ago."""
        name = getattr(duty, "__qualname__", repr(duty))
        tries, not_before = self._tries.get(name, (0, self._now()))
        if self._now() < not_before:
            return
        setbacks = Setbacks(self._sessions, name, self._now)

        try:
            await duty()
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # kept, logged and shown to admins
            self._well.discard(name)
            self._tries[name] = tries + 1, self._now() + pause_of_all_after(tries + 1)
            await setbacks.note(_WHOLE, error)
        else:
            self._tries.pop(name, None)
            if name not in self._well:
                await setbacks.forget(_WHOLE)
                self._well.add(name)

    async def forget_old(self) -> None:
        """Forget what has not come by again: it is not due any more."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(Setback).where(Setback.failed_at < self._now() - _KEPT))


def _in_a_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = f"{type(cause).__name__}: {cause}".partition("\n")[0]
    return words.replace("\x00", "")[:_MOST_CHARS]
