"""Signals to other processes: sent once a transaction is committed, and never a part of it.

PostgreSQL lets only one transaction that has said NOTIFY commit at a time, its wait for the disk
included. So nothing that waits for the disk says it: signals go out in a transaction of their own
right after, on the same connection, which waits for nothing. A signal that is lost between the two
is made up for by whoever waits: live pages look every three seconds, workers every second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from psycopg import Error as DriverError
from sqlalchemy import Connection, event, text
from sqlalchemy.dialects.postgresql.psycopg import AsyncAdapt_psycopg_connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

_LOGGER = logging.getLogger(__name__)
_PENDING = "signals"
_SEND = text(
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify(channel, payload)"
    " FROM unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS s (channel, payload)"
)

Signal = tuple[str, str]
"""A channel that listeners listen to, and what they are told there."""


class SignallingSession(Session):
    """A session that sends its signals once it is committed, and forgets them otherwise."""


async def signal(session: AsyncSession, signals: Iterable[Signal]) -> None:
    """Have `signals` sent as soon as the session's transaction is committed."""
    connection = (await session.connection()).sync_connection
    pending = session.info.setdefault(_PENDING, (connection, {}))
    pending[1].update(dict.fromkeys(signals))


@event.listens_for(SignallingSession, "after_commit")
def _send(session: Session) -> None:
    if session.in_nested_transaction() or _PENDING not in session.info:
        return  # a savepoint's end commits nothing
    connection: Connection
    connection, signals = session.info.pop(_PENDING)
    channels, payloads = zip(*signals, strict=True)
    try:
        with _by_itself(connection):
            connection.execute(_SEND, {"channels": list(channels), "payloads": list(payloads)})
            connection.commit()
    except SQLAlchemyError as error:
        # The transaction itself is committed, so its caller must not hear of a failure.
        _LOGGER.warning("signals were not sent, who waits for them looks later: %s", error)
        if not connection.invalidated:
            connection.rollback()


@contextmanager
def _by_itself(connection: Connection) -> Iterator[None]:
    """Let a statement be a transaction of its own, without asking for its begin and its end.

    What `connection` is left as is seen to: whoever has it next counts on transactions.
    """
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, AsyncAdapt_psycopg_connection)
    driver.autocommit = True
    try:
        yield
    finally:
        try:
            driver.autocommit = False
        except DriverError:
            connection.invalidate()


@event.listens_for(SignallingSession, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():  # else a savepoint's signals are told needlessly
        session.info.pop(_PENDING, None)
