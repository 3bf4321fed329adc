"""What is read for several records in one go before they are seen to one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Beforehand(Generic[Key, Found]):
    """Reads something of many records in as many statements as of one.

    What was read is handed out once: whoever asks again gets what is there by then.
    """

    def __init__(
        self,
        read: Callable[[AsyncSession, Collection[Key]], Awaitable[Mapping[Key, Found]]],
    ) -> None:
        """Read with `read`, which returns something for each key that it is given."""
        self._read = read

    async def read(self, session: AsyncSession, keys: Collection[Key]) -> None:
        """Read what `take` will hand out in this session, in place of what was read before."""
        session.info[self] = dict(await self._read(session, keys)) if keys else {}

    async def take(self, session: AsyncSession, key: Key) -> Found:
        """Return what was read of `key`; it is read now where it was not beforehand."""
        known: dict[Key, Found] = session.info.get(self, {})
        if key in known:
            return known.pop(key)
        return (await self._read(session, [key]))[key]
