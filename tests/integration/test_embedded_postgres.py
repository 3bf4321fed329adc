"""The embedded PostgreSQL: started, shared, adopted and replaced, with real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from core.domain.errors import StorageUnavailable
from core.runtime.database.postgres import be_silent, embedded_postgres
from core.runtime.database.postmaster import Postmaster, server_of
from core.runtime.machine.home import Home
from core.runtime.machine.polling import until
from core.runtime.machine.processes import is_alive

# Holds the server until it is killed or its input ends.
OWNER = """
import asyncio, sys
from pathlib import Path
from core.runtime.database.postgres import embedded_postgres

async def main():
    async with embedded_postgres(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
def new_home(tmp_path: Path) -> Path:
    """A home where no server has been yet."""
    return tmp_path / "home"


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a server that was made and stopped."""
    home = tmp_path_factory.mktemp("made") / "home"
    async with embedded_postgres(home):
        pass
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A home with a server of its own, copied: to make one takes ten times as long."""
    # Run by root, PostgreSQL has an account of its own, whose files stay its own.
    subprocess.run(("cp", "-a", made, tmp_path / "home"), check=True)
    return tmp_path / "home"


def test_a_number_that_a_killed_server_left_behind_names_no_server(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    assert server_of(tmp_path) is None


@asynccontextmanager
async def owner_process(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that owns the server of `home`; killed at the end if it still lives."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert (await process.stdout.readline()).startswith(b"postgresql://")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # Drained and closed, or the loop warns of a pipe that was never closed.
        await process.communicate()


async def query(url: str, statement: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


def postmaster_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def is_running(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists() and is_alive(postmaster_pid(home))


async def test_what_was_committed_is_there_after_the_next_start(home: Path) -> None:
    async with embedded_postgres(home) as url:
        await query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(home)
    async with embedded_postgres(home) as url:
        assert await query(url, "SELECT answer FROM kept") == [(42,)]


async def test_it_offers_vectors_and_both_databases_and_no_tcp_port(new_home: Path) -> None:
    async with embedded_postgres(new_home) as url:
        await query(url, "CREATE EXTENSION vector")
        names = await query(url, "SELECT datname FROM pg_database")
        assert {("desk",), ("rasa",)} <= set(names)
        assert await query(url, "SHOW listen_addresses") == [("",)]
        assert await query(url, "SHOW fsync") == [("on",)]
        assert await query(url, "SELECT lower('ÁÑ')") == [("áñ",)]


async def test_a_second_desk_uses_the_same_server_and_leaves_it_running(home: Path) -> None:
    async with embedded_postgres(home) as first:
        async with embedded_postgres(home) as second:
            assert second == first
            assert await query(second, "SELECT 1") == [(1,)]
        assert await query(first, "SELECT 1") == [(1,)]


async def test_an_owner_that_leaves_waits_for_who_still_uses_the_server(home: Path) -> None:
    async with owner_process(home) as owner:
        async with embedded_postgres(home) as url:
            assert owner.stdin is not None
            owner.stdin.close()  # it wants to leave now
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await owner.wait()
            assert await query(url, "SELECT 1") == [(1,)]
        async with asyncio.timeout(20):
            assert await owner.wait() == 0
    assert not is_running(home)


async def test_a_server_that_outlived_its_desk_is_taken_over(home: Path) -> None:
    async with owner_process(home) as owner:
        orphan = postmaster_pid(home)
        owner.kill()
        await owner.wait()
        assert is_alive(orphan)
        said: list[str] = []
        async with embedded_postgres(home, say=said.append) as url:
            assert postmaster_pid(home) == orphan
            assert await query(url, "SELECT 1") == [(1,)]
        assert any("took over" in line for line in said)
        assert not is_alive(orphan)


async def test_an_orphan_started_with_other_settings_is_replaced(home: Path) -> None:
    async with owner_process(home) as owner:
        orphan = postmaster_pid(home)
        owner.kill()
        await owner.wait()
    server = Postmaster(Home.at(home), be_silent)
    settings = vars(sys.modules[Postmaster.__module__])["_SETTINGS"]
    settings["work_mem"] = "5MB"  # as a later release may have it
    try:
        await server.start()
        assert not is_alive(orphan)
        assert await query(server.url(), "SHOW work_mem") == [("5MB",)]
    finally:
        del settings["work_mem"]
        await server.stop()


async def test_a_killed_server_is_started_again_with_its_data(home: Path) -> None:
    server = Postmaster(Home.at(home), be_silent)
    await server.start()
    try:
        await query(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster_pid(home), signal.SIGKILL)

        async def is_gone() -> bool:
            return not server.is_running()

        assert await until(is_gone, every=0.02, seconds=10)
        await server.start()
        assert await query(server.url(), "SELECT answer FROM kept") == [(42,)]
    finally:
        await server.stop()


async def test_a_number_in_the_pid_file_that_another_program_has_now_does_no_harm(
    home: Path,
) -> None:
    async with embedded_postgres(home):
        lines = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    # Left by a machine that lost power; after its start the number belongs to this very test.
    lines[0] = str(os.getpid())
    (home / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    async with embedded_postgres(home) as url:
        assert await query(url, "SELECT 1") == [(1,)]


async def test_a_creation_that_was_interrupted_is_begun_anew(new_home: Path) -> None:
    half = Home.at(new_home).root / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(new_home) as url:
        assert await query(url, "SELECT 1") == [(1,)]
    assert not half.exists()


async def test_a_home_with_a_long_and_odd_name_works(tmp_path: Path) -> None:
    home = tmp_path / ("long " * 16).strip() / 'a, "b" & ñ'
    async with embedded_postgres(home) as url:
        assert await query(url, "SELECT 1") == [(1,)]
    server = Postmaster(Home.at(home), be_silent)
    assert server.socket_folder != home / "postgres"
    assert server.socket_folder.stat().st_mode & 0o077 == 0
    server.socket_folder.rmdir()  # the server took its socket away with it


async def test_a_folder_that_was_closed_since_is_passable_again(home: Path) -> None:
    async with embedded_postgres(home):
        pass
    home.chmod(0o700)  # shuts the server's own account out, where the desk runs as root
    async with embedded_postgres(home) as url:
        assert await query(url, "SELECT 1") == [(1,)]


async def test_data_of_another_release_of_postgresql_is_refused(new_home: Path) -> None:
    folder = Home.at(new_home).postgres
    folder.mkdir()
    (folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(StorageUnavailable, match="PostgreSQL 17"):
        async with embedded_postgres(new_home):
            pass


async def test_a_start_that_fails_says_why_and_where_to_look(home: Path) -> None:
    async with embedded_postgres(home):
        pass
    (home / "postgres" / "global" / "pg_control").rename(home / "pg_control")
    with pytest.raises(StorageUnavailable, match=r"pg_control.*postgres\.log"):
        async with embedded_postgres(home):
            pass


async def test_the_log_holds_no_values_of_failed_statements(home: Path) -> None:
    async with embedded_postgres(home) as url:
        await query(url, "CREATE TABLE people (email text PRIMARY KEY)")
        for _ in range(2):
            with suppress(psycopg.errors.UniqueViolation):
                await query(url, "INSERT INTO people VALUES ('ana@example.org')")
    log = (home / "logs" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "ana@example.org" not in log
