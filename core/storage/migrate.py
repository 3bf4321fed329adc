"""Brings the database's schema up to this version, whoever else tries at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: it is 10 MB that a running desk does not need.

_LOCK = 0x64_65_73_6B  # "desk": any constant will do, as long as every process takes the same


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine) -> None:
    """Apply what is missing, in one transaction; processes that start together take turns."""
    from alembic import command

    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))


async def pending(engine: AsyncEngine) -> bool:
    """Say whether the schema is older (or newer) than this version."""

    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    def current(connection: Connection) -> tuple[str, ...]:
        return MigrationContext.configure(connection).get_current_heads()

    async with engine.connect() as connection:
        heads = await connection.run_sync(current)
    return set(heads) != set(ScriptDirectory.from_config(_config()).get_heads())
