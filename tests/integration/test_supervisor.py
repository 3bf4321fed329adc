"""`desk run` as a person meets it: real processes, started, killed and stopped.

The assistant is an address where nobody listens: how it is trained and served is tested where
the whole conversation is.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from core.runtime.machine.addresses import free_ports, http_get
from core.runtime.machine.polling import until
from core.runtime.machine.processes import command_of, is_alive
from core.runtime.supervision import supervised

PATIENCE_SECONDS = 60.0

PARENT = """
import subprocess, sys
desk = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
print(desk.pid, flush=True)
desk.wait()
"""
"""A program that starts a desk."""


@dataclass
class Desk:
    """A running `desk run` and what it has printed."""

    process: asyncio.subprocess.Process
    home: Path
    port: int
    lines: list[str] = field(default_factory=list)

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    async def wait_for(self, condition: Callable[[], object]) -> None:
        async def holds_or_ended() -> bool:
            return bool(condition()) or self.process.returncode is not None

        await until(holds_or_ended, every=0.05, seconds=PATIENCE_SECONDS)
        assert condition(), "\n".join(self.lines)

    async def wait_until_it_takes_messages(self) -> None:
        await self.wait_for(lambda: self.says("taking messages at"))

    def child(self, command: str) -> int | None:
        """Return the process of `desk COMMAND` under this supervisor."""
        for entry in Path("/proc").glob("[0-9]*"):
            words = command_of(int(entry.name))
            if "core.wiring.program" in words and command in words and self._is_mine(entry):
                return int(entry.name)
        return None

    def has_another(self, command: str, than: int) -> bool:
        """Return whether `desk COMMAND` runs in a process other than `than`."""
        return self.child(command) not in {None, than}

    def _is_mine(self, entry: Path) -> bool:
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return b"DESK_HOME=" + os.fsencode(self.home) in variables

    @property
    def postmaster(self) -> int:
        return int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def environment(home: Path, port: int, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DESK_")}
    kept.pop("DATABASE_URL", None)
    (nobody,) = free_ports(1)
    return kept | {
        "DESK_HOME": str(home),
        "DESK_PORT": str(port),
        "DESK_BOT_URL": f"http://127.0.0.1:{nobody}",
        **extra,
    }


@asynccontextmanager
async def desk_run(home: Path, port: int) -> AsyncIterator[Desk]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.cli", "run"),
        stdin=asyncio.subprocess.PIPE,  # it ends with us, killed or not
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(home, port, **{supervised.VARIABLE: "1"}),
    )
    desk = Desk(process, home, port)

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            desk.lines.append(line.decode().rstrip())

    listening = asyncio.create_task(listen())
    try:
        yield desk
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await process.wait()
        await listening


async def desk_command(
    home: Path, port: int, *arguments: str, **extra: str
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.cli", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(home, port, **extra),
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@dataclass
class OneHome:
    """A home whose desk is started where a test finds none: a first start takes a while."""

    path: Path
    port: int
    _runs: AsyncExitStack
    _desk: Desk | None = None

    async def desk(self) -> Desk:
        if self._desk is None or self._desk.process.returncode is not None:
            self._desk = await self._runs.enter_async_context(desk_run(self.path, self.port))
        await self._desk.wait_until_it_takes_messages()
        return self._desk


@pytest.fixture(scope="module", autouse=True)
def interrupts_are_heard() -> None:
    """Let what is started hear Ctrl-C: of a suite in the background of a shell it would not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
async def one_home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OneHome]:
    async with AsyncExitStack() as runs:
        yield OneHome(tmp_path_factory.mktemp("one") / "home", free_ports(1)[0], runs)


@pytest.fixture
async def desk(one_home: OneHome) -> Desk:
    """A desk that takes messages; tests may stop or kill it."""
    return await one_home.desk()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home where no desk has been yet."""
    return tmp_path / "home"


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


async def test_it_takes_messages_without_an_assistant_but_is_not_ready(desk: Desk) -> None:
    assert (await http_get("127.0.0.1", desk.port, "/healthz"))[0] == 200
    status, body = await http_get("127.0.0.1", desk.port, "/readyz")
    assert status == 503
    assert json.loads(body)["components"]["database"] == "up"
    assert not any(line.startswith("ready ") for line in desk.lines)
    assert desk.says("sign in once at http")
    record = json.loads((desk.home / "run.json").read_text())
    assert record["pid"] == desk.process.pid


async def test_a_second_desk_in_the_same_home_says_who_runs_and_stops(desk: Desk) -> None:
    (other_port,) = free_ports(1)
    code, _, errors = await desk_command(desk.home, other_port, "run")
    assert code == 1
    assert f"process {desk.process.pid}" in errors
    assert f"http://127.0.0.1:{desk.port}" in errors
    assert desk.process.returncode is None


async def test_a_command_beside_a_running_desk_uses_its_database(desk: Desk) -> None:
    code, output, _ = await desk_command(
        desk.home, desk.port, "token", "create", "--email", "ana@example.org"
    )
    assert code == 0
    assert len(output.split()) == 1
    code, output, _ = await desk_command(desk.home, desk.port, "doctor")
    assert f"running, process {desk.process.pid}" in output
    assert "BAD  assistant" in output
    assert code == 1
    assert is_alive(desk.postmaster)


async def test_a_port_in_use_is_reported_before_anything_starts(home: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        code, _, errors = await desk_command(home, port, "run")
    assert code == 1
    assert f"port {port}" in errors
    assert "DESK_PORT" in errors
    assert not (home / "postgres").exists()


async def test_whatever_is_killed_is_started_again(desk: Desk) -> None:
    await desk.wait_for(lambda: desk.child("work") and desk.child("embed"))
    for command in ("serve", "work", "embed"):
        first = desk.child(command)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await desk.wait_for(partial(desk.has_another, command, first))
    os.kill(desk.postmaster, signal.SIGKILL)
    await desk.wait_for(lambda: desk.says("database ready again"))
    assert desk.says("web ended (killed by SIGKILL)")

    async def is_up() -> bool:
        try:
            _, body = await http_get("127.0.0.1", desk.port, "/readyz")
        except OSError:
            return False
        return bool(json.loads(body)["components"]["database"] == "up")

    assert await until(is_up, every=0.05, seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("wish", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_to_stop_ends_everything(desk: Desk, wish: signal.Signals) -> None:
    server = desk.postmaster
    desk.process.send_signal(wish)
    async with asyncio.timeout(15):
        assert await desk.process.wait() == 0
    assert desk.says("stopped")
    assert not is_alive(server)
    assert [desk.child(name) for name in ("serve", "work", "embed")] == [None, None, None]
    assert not (desk.home / "run.json").exists()


async def test_after_a_killed_supervisor_the_next_takes_over(desk: Desk) -> None:
    server = desk.postmaster
    desk.process.kill()
    await desk.process.wait()
    assert is_alive(server)
    async with desk_run(desk.home, desk.port) as another:
        await another.wait_until_it_takes_messages()
        assert another.says("took over PostgreSQL")
        assert another.postmaster == server
        assert not another.says("sign in once")


async def test_a_desk_that_heeds_its_parent_ends_with_it_even_if_that_is_killed(
    one_home: OneHome,
) -> None:
    desk = await one_home.desk()
    desk.process.terminate()
    await desk.process.wait()
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, sys.executable, "-P", "-m", "core.cli", "run"),
        stdout=asyncio.subprocess.PIPE,
        env=environment(one_home.path, one_home.port, **{supervised.VARIABLE: "1"}),
    )
    assert parent.stdout is not None
    supervisor = int(await parent.stdout.readline())
    async for line in parent.stdout:
        if b"taking messages at" in line:
            break
    server = desk.postmaster
    parent.kill()
    await parent.communicate()  # the end of the output, which the supervisor holds open too

    async def both_are_gone() -> bool:
        return not (is_alive(supervisor) or is_alive(server))

    assert await until(both_are_gone, every=0.05, seconds=PATIENCE_SECONDS)
    assert [desk.child(name) for name in ("serve", "work", "embed")] == [None, None, None]
    assert not (desk.home / "run.json").exists()


async def test_a_desk_that_heeds_its_parent_and_has_none_stops_and_says_why(
    home: Path, port: int
) -> None:
    code, output, errors = await desk_command(home, port, "run", **{supervised.VARIABLE: "1"})
    assert (code, errors) == (0, "")
    assert "standard input has ended" in output
    assert "stopped" in output


async def test_a_command_on_its_own_starts_the_database_and_stops_it(home: Path, port: int) -> None:
    code, _, errors = await desk_command(home, port, "migrate")
    assert (code, errors.count("Traceback")) == (0, 0)
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_wrong_settings_are_named(home: Path) -> None:
    code, _, errors = await desk_command(home, 99999, "migrate")
    assert code == 1
    assert errors.startswith("desk: DESK_PORT:")
    assert "Traceback" not in errors
