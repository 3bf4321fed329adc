"""Brings the database's schema up to this version, whoever else tries at the same time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: it is 10 MB that a running desk does not need.

_PATIENCE = timedelta(seconds=10)  # whoever wants the same table meanwhile waits behind
_HELD = (
    "a table that is to be changed was in use for {seconds:g} s: nothing was changed. Stop the "
    "desk's programs, wait for backups that are under way, and run: desk migrate"
)
_LOCK = 0x64_65_73_6B  # "desk": any constant will do, as long as every process takes the same


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, patience: timedelta = _PATIENCE) -> None:
    """Apply what is missing, in one transaction; processes that start together take turns.

    Raises:
        StorageUnavailable: somebody else held a table for longer than `patience`.
    """
    from alembic import command

    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.execute(
            text("SELECT set_config('lock_timeout', :milliseconds, true)"),
            {"milliseconds": str(patience // timedelta(milliseconds=1))},
        )
        try:
            await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            held = _HELD.format(seconds=patience.total_seconds())
            raise StorageUnavailable(held) from error


async def pending(engine: AsyncEngine) -> bool:
    """Say whether the schema is older (or newer) than this version."""

    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    def current(connection: Connection) -> tuple[str, ...]:
        return MigrationContext.configure(connection).get_current_heads()

    async with engine.connect() as connection:
        heads = await connection.run_sync(current)
    return set(heads) != set(ScriptDirectory.from_config(_config()).get_heads())
