"""`desk run` as a person starts it: real processes in a home of their own, killed and stopped."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.runtime.machine.addresses import free_ports, http_get
from core.runtime.machine.polling import until
from core.runtime.supervision import supervised
from core.runtime.supervision.assistant_program import AssistantProgram

PATIENCE_SECONDS = 90.0
START_SECONDS = 240.0
_POLL_SECONDS = 0.05
_LAST_WORDS_SECONDS = 10.0  # for what a command that was ended has still to hand over


class Part(StrEnum):
    """A process of the desk that may be killed."""

    WEB = "web"
    WORKER = "worker"
    ASSISTANT = "assistant"
    POSTGRES = "postgres"


_COMMANDS: Mapping[Part, tuple[str, str]] = {
    Part.WEB: ("core.wiring.program", "serve"),
    Part.WORKER: ("core.wiring.program", "work"),
    Part.ASSISTANT: ("main.py", "serve"),
}


@dataclass
class RunningDesk:
    """A `desk run` and what it has printed."""

    process: asyncio.subprocess.Process
    home: Path
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        record = json.loads((self.home / "run.json").read_text())
        return str(record["database_url"])

    @property
    def sign_in_link(self) -> str:
        """Return the first admin's link; it works once."""
        words = next(line for line in self.lines if "sign in once at" in line)
        return words.rpartition(" ")[2]

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def pid(self, part: Part) -> int | None:
        """Return the process of `part`, or None while it does not run."""
        if part is Part.POSTGRES:
            return self._postmaster()
        program, command = _COMMANDS[part]
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess):
                    words = child.cmdline()
                    if command in words and any(word.endswith(program) for word in words):
                        return child.pid
        return None

    def _postmaster(self) -> int | None:
        try:
            lines = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        pid = int(lines[0]) if lines else 0
        return pid if pid and psutil.pid_exists(pid) else None

    async def kill(self, part: Part, how: signal.Signals = signal.SIGKILL) -> int:
        """Send `how` to `part`, as soon as it runs; return which process that was."""
        found: list[int] = []

        async def hit() -> bool:
            pid = self.pid(part)
            if pid is None:
                return False
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                return False
            found.append(pid)
            return True

        await self.wait_until(hit, f"{part} does not run")
        return found[0]

    async def wait_until(
        self,
        condition: Callable[[], Awaitable[bool]],
        otherwise: str,
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Return once `condition` holds; fail, with what the desk printed, when it never does."""

        async def holds() -> bool:
            assert self.process.returncode is None, "\n".join(["the desk ended", *self.lines])
            return await condition()

        if not await until(holds, every=_POLL_SECONDS, seconds=seconds):
            raise AssertionError("\n".join([otherwise, *self.lines]))

    async def until_it_takes_messages(self) -> None:
        async def said() -> bool:
            return self.says("taking messages at")

        await self.wait_until(said, "the desk takes no messages", START_SECONDS)

    async def until_ready(self) -> None:
        await self.wait_until(self.is_ready, "the desk is not ready", START_SECONDS)

    async def until_all_is_embedded(self) -> None:
        """Return once every passage has its vector; until then the search goes by words alone."""

        async def none_left() -> bool:
            async with await psycopg.AsyncConnection.connect(self.database_url) as database:
                rows = await database.execute(
                    "SELECT count(*) FROM passage WHERE vector_model IS NULL"
                )
                return await rows.fetchone() == (0,)

        await self.wait_until(none_left, "passages wait for their vectors", START_SECONDS)

    async def is_ready(self) -> bool:
        return await self.answers("/readyz")

    async def answers(self, path: str) -> bool:
        """Return whether a GET of `path` is answered with 200."""
        try:
            status, _ = await http_get("127.0.0.1", self.port, path)
        except OSError:
            return False
        return status == 200

    async def components(self) -> dict[str, Any]:
        """Return what /readyz says of each component, nothing while it cannot be asked."""
        try:
            _, body = await http_get("127.0.0.1", self.port, "/readyz")
        except OSError:
            return {}
        document: dict[str, Any] = json.loads(body)
        return dict(document["components"])

    async def command(self, *arguments: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Run `desk ARGUMENTS` in the same home and return what it prints."""
        code, output, errors = await desk_command(self.home, self.port, *arguments, seconds=seconds)
        assert code == 0, errors
        return output.strip()

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.process.wait()


@asynccontextmanager
async def running_desk(home: Path, port: int, **settings: str) -> AsyncIterator[RunningDesk]:
    """Run a desk in `home` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *_desk("run"),
        stdin=asyncio.subprocess.PIPE,  # it ends with us, killed or not
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(home, port, **{supervised.VARIABLE: "1"}, **settings),
    )
    desk = RunningDesk(process, home, port)

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            desk.lines.append(line.decode().rstrip())

    listening = asyncio.create_task(listen())
    try:
        yield desk
    finally:
        await desk.stop()
        await listening


async def desk_command(
    home: Path, port: int, *arguments: str, seconds: float = PATIENCE_SECONDS
) -> tuple[int, str, str]:
    """Run `desk ARGUMENTS`; return its exit code, output and errors."""
    return await command_within(seconds, *_desk(*arguments), env=_environment(home, port))


async def command_within(
    seconds: float, *command: str, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run `command`; return its exit code, output and errors.

    It ends with all that it started, which holds its output open too, where it takes longer.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
        start_new_session=True,
    )
    ending = asyncio.create_task(process.communicate())
    try:
        in_time, _ = await asyncio.wait([ending], timeout=seconds)
        if not in_time:
            _kill_session(process)
        output, errors = await asyncio.wait_for(ending, _LAST_WORDS_SECONDS)
    finally:
        if not ending.done() or process.returncode is None:
            _kill_session(process)
    assert in_time, f"{' '.join(command)} took more than {seconds:g} s: {errors.decode()}"
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def _kill_session(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def train_into(folder: Path) -> None:
    """Leave an up-to-date model of the assistant in `folder`; does nothing where there is one."""
    program = AssistantProgram()
    assert program.missing is None, program.missing
    process = await asyncio.create_subprocess_exec(
        *program.train_command(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def home_with_model(home: Path, models: Path) -> Path:
    """Return `home`, made with a model that is trained already."""
    shutil.copytree(models, home / "models", ignore=shutil.ignore_patterns(".*"))
    return home


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def _desk(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "core.cli", *arguments)


def _environment(home: Path, port: int, **settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DESK_", "BOT_"))}
    kept.pop("DATABASE_URL", None)
    return kept | {"DESK_HOME": str(home), "DESK_PORT": str(port), **settings}
