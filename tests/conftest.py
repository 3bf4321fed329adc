"""Fixtures that tests of every kind share: a real PostgreSQL, fresh databases, a browser."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, async_playwright
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.ids import new_id
from core.runtime.database.postgres import embedded_postgres
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.migrate import migrate
from tests.support.databases import Databases
from tests.support.distribution import ByGroup, longest_first

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
_FOLDER = pytest.StashKey[Path]()

# How long a case takes says how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give every run a temporary folder of its own, outside the one that all runs share.

    Run by root, PostgreSQL has an account of its own and needs a way to its data. Each pytest that
    starts closes the shared folder to everybody else, which would end the servers of other runs.
    """
    # Else every process that a test starts would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if config.option.basetemp is None:
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="ventanilla-tests-"))
        config.option.basetemp = config.stash[_FOLDER] / "run"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Take what is imported and collected for what stays.

    To look for garbage among it again and again takes a fourth of the processor time of the tests
    of pages.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByGroup:
    """Share the tests out by groups."""
    return ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, where tests are shared out."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Leave the run's folder behind only where something failed."""
    folder = session.config.stash.get(_FOLDER, None)
    if folder is not None and exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a PostgreSQL of this test run, with a migrated database as a template."""
    home: Path = tmp_path_factory.mktemp("desk")
    async with embedded_postgres(home) as url:
        engine = open_engine(url)
        await migrate(engine)
        await engine.dispose()
        yield url


@pytest.fixture(scope="session")
async def databases(postgres: str) -> AsyncIterator[Databases]:
    """The databases of this test run's server."""
    databases = Databases(postgres)
    await databases.prepare()
    yield databases
    await databases.close()


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The address of a migrated database without content, of this test alone."""
    async with databases.one() as url:
        yield url


@pytest.fixture
async def engine(databases: Databases, database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the test's database."""
    async with databases.engine(database_url) as engine:
        yield engine


@pytest.fixture
async def sessions(engine: AsyncEngine) -> Sessions:
    """Sessions on the test's database."""
    return sessions_of(engine)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of all tests of a process; each opens windows of its own in it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def unmigrated(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database without a schema."""
    name = f"test_{new_id().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engine = open_engine(postgres.replace("/desk?", f"/{name}?"))
        yield engine
        await engine.dispose()
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
