"""How one child process is kept running, and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.runtime.machine.processes import give_way
from core.runtime.supervision.logfiles import open_log, tail
from core.runtime.supervision.supervised import GATED_VARIABLE

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_HEALTHY_SECONDS = 30.0
_SHOWN_LINES = 12

Say = Callable[[str], None]
Command = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courtesy:
    """How far a process lets others go first, and how long after its start."""

    nice: int  # from 1 to 19
    after_seconds: float


class NotStarted(Exception):
    """A child's command could not be had; the message says why."""


class RestartPauses:
    """How long to wait before the next start: longer each time, until a start has held."""

    def __init__(self, longest: float = _LONGEST_PAUSE_SECONDS) -> None:
        self._longest = longest
        self._next = _FIRST_PAUSE_SECONDS

    def pause(self, ran_seconds: float) -> float:
        """Return the pause after a run of `ran_seconds`."""
        if ran_seconds >= _HEALTHY_SECONDS:
            self._next = _FIRST_PAUSE_SECONDS
        pause, self._next = self._next, min(self._next * 2, self._longest)
        return pause


class Child:
    """One process with its log file; its standard input is a pipe that ends with us."""

    def __init__(
        self,
        name: str,
        command: Command,
        *,
        environment: Mapping[str, str],
        log: Path,
        say: Say,
        stop_seconds: float = 4.0,
        gated: bool = False,
        courtesy: Courtesy | None = None,
    ) -> None:
        self.name = name
        self._courtesy = courtesy
        self._command = command
        self._environment = dict(environment)
        if gated:
            self._environment[GATED_VARIABLE] = "1"
        self._gated = gated
        self._released = False
        self._log = log
        self._say = say
        self._stop_seconds = stop_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    async def keep(self) -> None:
        """Start the process, and start it again whenever it ends; until `stop`."""
        backoff = RestartPauses()
        shown: list[str] = []
        while not self._stopping:
            began = time.monotonic()
            position = self._log.stat().st_size if self._log.exists() else 0
            try:
                code = await self._run_once()
                end = "was stopped" if self._stopping else f"ended ({_in_words(code)})"
            except (NotStarted, OSError) as error:
                end = f"could not be started: {error}"
            if self._stopping:
                return
            ran = time.monotonic() - began
            pause = backoff.pause(ran)
            self._say(f"{self.name} {end}; starting it again in {pause:g} s (log: {self._log})")
            words = tail(self._log, lines=_SHOWN_LINES, after=position)
            if ran < _HEALTHY_SECONDS and words != shown:
                for line in words:
                    self._say(f"  {self.name}: {line}")
                shown = words
            await asyncio.sleep(pause)

    def release(self) -> None:
        """Let a gated child begin its work: this run of it, and each later one."""
        self._released = True
        self._say_go()

    async def stop(self) -> None:
        """End the process: a request, some patience, then force."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._stop_seconds):
                await process.wait()
        except TimeoutError:
            self._say(f"{self.name} did not stop within {self._stop_seconds:g} s: killing it")
        with suppress(ProcessLookupError):  # with whatever it started itself
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _run_once(self) -> int:
        command = await self._command()
        with open_log(self._log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops all in order
            )
        if self._courtesy is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._courtesy.after_seconds, self.give_way, self._process.pid)
        if self._released:
            self._say_go()
        if self._stopping:  # asked while the command was being had
            self._process.terminate()
        return await self._process.wait()

    def give_way(self, pid: int | None = None) -> None:
        """Let the processes without a courtesy go first; a run other than `pid` is left alone."""
        if self._courtesy is not None and self.pid is not None and pid in {None, self.pid}:
            give_way(self.pid, self._courtesy.nice)

    def _say_go(self) -> None:
        process = self._process
        if self._gated and process is not None and process.stdin is not None:
            process.stdin.write(b"\n")  # a process that has ended meanwhile does not mind


def always(*command: str) -> Command:
    """Return the command of a child that is started the same way each time."""

    async def same() -> Sequence[str]:
        return command

    return same


async def run_to_end(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    heard: Callable[[str], None],
) -> int:
    """Run a command that ends by itself and return its exit code; `heard` gets each line it prints.

    What it says on standard error goes to `log`. It is killed if the caller is cancelled.
    """
    with open_log(log) as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            heard(line.decode(errors="replace").rstrip())
        return await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _in_words(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
