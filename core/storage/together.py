"""Statements that leave for the database together, without waiting for each one's answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession


@asynccontextmanager
async def sent_together(session: AsyncSession) -> AsyncIterator[None]:
    """Send the statements inside one after the other, and wait once, at the end.

    On busy processors it is the waiting that a statement costs most by. Nobody can read a result
    inside, not even how many rows were changed: so what the session has changed is flushed before.
    What a statement raises is raised by one of those after it, or at the end.
    """
    await session.flush()
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, AsyncConnection):
        raise TypeError(f"{type(driver).__name__} is no connection of psycopg")
    try:
        with _prepared_if_all_went_well(driver):
            async with driver.pipeline():
                yield
    except DriverError as error:
        raised = DBAPIError.instance(
            None, None, error, DriverError, dialect=connection.dialect, hide_parameters=True
        )
        raise raised from error


@contextmanager
def _prepared_if_all_went_well(driver: AsyncConnection[Any]) -> Iterator[None]:
    """Have `driver` forget the statements prepared inside, where something fails there.

    It takes a statement for prepared once that is asked for; after a fault the server passes over
    what comes behind it in the pipeline, and the statement would be unknown there ever after. See
    `core.storage.engine` for why a rollback does not make the driver forget it.
    """
    prepared = driver._prepared._names
    before = frozenset(prepared)
    try:
        yield
    except BaseException:
        for query in prepared.keys() - before:
            del prepared[query]
        raise
