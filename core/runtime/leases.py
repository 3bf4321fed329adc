"""Names that one process of all holds at a time, for as long as its connection lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError

from core.domain.errors import DeskError
from core.storage.engine import libpq_url

_BEAT_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_SILENCE_MILLISECONDS = 4_000
_LOCK = "SELECT {}(hashtextextended('receive ' || %s::text, 0))"


class LeaseLost(DeskError):
    """The connection that held the leases is gone; somebody else may have them by now."""


class Leases:
    """What this process holds. Made by `leases`."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def take(self, name: str) -> bool:
        """Try to become the holder of `name`; say whether this process is it now.

        Raises:
            LeaseLost: see there.
        """
        return bool(await self._ask(_LOCK.format("pg_try_advisory_lock"), name))

    async def give_back(self, name: str) -> None:
        """Let somebody else have `name`.

        Raises:
            LeaseLost: see there.
        """
        await self._ask(_LOCK.format("pg_advisory_unlock"), name)

    async def hold(self) -> None:
        """Keep the connection from falling silent; never returns.

        Raises:
            LeaseLost: see there.
        """
        while True:
            await self._ask("SELECT true")
            await asyncio.sleep(_BEAT_SECONDS)

    async def _ask(self, statement: str, *values: str) -> Any:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                cursor = await self._connection.execute(statement.encode(), values)
                row = await cursor.fetchone()
        except (OperationalError, TimeoutError) as error:
            raise LeaseLost("the connection that holds the leases broke") from error
        return None if row is None else row[0]


@asynccontextmanager
async def leases(url: str) -> AsyncIterator[Leases]:
    """Open a connection to hold leases by, and give all back at the end.

    The server ends it, and frees its leases, when it falls silent: also where this process hangs,
    or its machine is gone without a word.

    Raises:
        LeaseLost: there is no such connection to be had.
    """
    try:
        connection = await AsyncConnection.connect(
            libpq_url(url),
            autocommit=True,
            connect_timeout=5,
            application_name="desk leases",
            options=f"-c idle_session_timeout={_SILENCE_MILLISECONDS}",
        )
    except OperationalError as error:
        raise LeaseLost("the database gives no connection to hold leases by") from error
    try:
        yield Leases(connection)
    finally:
        await connection.close()
