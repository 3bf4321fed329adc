"""Statements that leave for the database together, without waiting for each one's answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession


@asynccontextmanager
async def sent_together(session: AsyncSession) -> AsyncIterator[None]:
    """Send the statements inside one after the other, and wait once, at the end.

    On busy processors it is the waiting that a statement costs most by. Nobody can read a result
    inside, not even how many rows were changed: so nothing of the session's own may be left to be
    flushed. What a statement raises is raised by one of those after it, or at the end.
    """
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, AsyncConnection):
        raise TypeError(f"{type(driver).__name__} is no connection of psycopg")
    try:
        async with driver.pipeline():
            yield
    except DriverError as error:
        raised = DBAPIError.instance(
            None, None, error, DriverError, dialect=connection.dialect, hide_parameters=True
        )
        raise raised from error
