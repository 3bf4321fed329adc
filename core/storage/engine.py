"""How the database is reached: the engine, sessions, and what its absence looks like."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg import Error as DriverError
from psycopg import OperationalError as DriverOperationalError
from psycopg.errors import DeadlockDetected, ProgramLimitExceeded
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from core.domain.errors import InvalidInput, StorageUnavailable
from core.storage.signals import SignallingSession

Sessions = async_sessionmaker[AsyncSession]

_MOST_STATEMENTS = 256  # that a connection keeps prepared
_TRUSTED_SECONDS = 1.0
_USED_AT = "used_at"


def driver_url(url: str) -> str:
    """Return `url` with SQLAlchemy's name of the driver in its scheme."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise InvalidInput(f"DATABASE_URL must start with postgresql://, not {scheme!r}")
    return f"postgresql+psycopg://{rest}"


def libpq_url(url: str) -> str:
    """Return `url` as libpq and psycopg read it."""
    return "postgresql://" + driver_url(url).partition("://")[2]


def open_engine(url: str, *, pool_size: int = 10, application: str = "desk") -> AsyncEngine:
    """Return an engine for `url`; nothing is connected yet."""
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # few connections are busy, and have their statements prepared
        pool_timeout=10,
        hide_parameters=True,  # an error's text must not carry what people wrote into a log
        connect_args={
            "application_name": application,
            "connect_timeout": 5,
            # Planner statistics of the first message must not decide the plans of the millionth:
            # generic plans are cheap to choose and all hot statements are keyed look-ups.
            "prepare_threshold": 1,
        },
    )
    event.listen(engine.sync_engine, "connect", _keep_statements)
    _look_after_idle(engine.sync_engine)
    return engine


def _look_after_idle(engine: Engine) -> None:
    """Let a connection that has lain idle be tried before it is used.

    The pool's own `pool_pre_ping` tries each one each time: one question to the server more for
    every transaction, also of a connection that has just answered.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def try_it(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except DriverError as error:
            # Those that lie beside it are as old: all are opened anew.
            raise InvalidatePoolError from error


def _keep_statements(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Let a new connection keep its prepared statements when a transaction is rolled back.

    Its driver forgets all of them then, since tables may have been made anew in between; here only
    migrations do that. Every session that only reads ends so, and the server would parse and plan
    nearly all statements afresh each time. The driver has no setting for it.
    """
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    driver.prepared_max = _MOST_STATEMENTS
    driver._prepared.clear = lambda: False  # type: ignore[method-assign]


def sessions_of(engine: AsyncEngine) -> Sessions:
    """Return a maker of sessions whose records stay readable after their commit."""
    return async_sessionmaker(engine, expire_on_commit=False, sync_session_class=SignallingSession)


class Deadlocked(StorageUnavailable):
    """Two transactions waited for each other, and this one was undone: it can be done again."""


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """Turn the loss of the database inside the block into `StorageUnavailable`.

    What the database will never take is `InvalidInput` instead: its driver counts that among the
    errors of a server in trouble, and whoever tried again would do so for ever.
    """
    try:
        yield
    except (PoolTimeout, InterfaceError) as error:
        raise StorageUnavailable("the database gave no connection in time") from error
    except (OperationalError, DriverOperationalError) as error:
        cause = error.orig if isinstance(error, OperationalError) else error
        if isinstance(cause, ProgramLimitExceeded):
            raise InvalidInput("a name is longer than the database can look up") from error
        if isinstance(cause, DeadlockDetected):
            raise Deadlocked("two transactions waited for each other") from error
        raise StorageUnavailable(
            f"the database does not answer as it should ({type(cause).__name__})"
        ) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StorageUnavailable("the connection to the database broke") from error
        raise
