"""How programs under measurement are started, waited for and ended, whatever happens to us."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.machine import REPOSITORY

_POLL_SECONDS = 0.2
_START_SECONDS = 600.0  # a first start trains the assistant
_STOP_SECONDS = 30.0


T = TypeVar("T")


class DidNotStart(RuntimeError):
    """A program under measurement ended, or was not ready in time; the message names its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and its log."""

    process: subprocess.Popen[bytes]
    log: Path
    started: float  # on the monotonic clock

    async def until(self, sign: Coroutine[Any, Any, T], *, seconds: float = _START_SECONDS) -> T:
        """Return what `sign` returns once the program does what `sign` waits for.

        Raises:
            DidNotStart: the program ended, or the time is up.
        """
        waiting = asyncio.create_task(sign)
        end = time.monotonic() + seconds
        try:
            while not waiting.done():
                if self.process.poll() is not None:
                    raise DidNotStart(f"ended with code {self.process.returncode}, see {self.log}")
                if time.monotonic() > end:
                    raise DidNotStart(f"not ready within {seconds:g} s, see {self.log}")
                await asyncio.wait({waiting}, timeout=_POLL_SECONDS)
            return waiting.result()
        finally:
            waiting.cancel()


@asynccontextmanager
async def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    folder: Path = REPOSITORY,
) -> AsyncIterator[Program]:
    """Run `command` for as long as the block does.

    Its standard input is a pipe of ours: programs that watch it end even if we are killed.
    """
    with log.open("ab") as stream:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**_own_environment(), **environment},
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield Program(process, log, started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _own_environment() -> dict[str, str]:
    """Return our environment without settings of a desk, which would be measured with them."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DESK_", "BOT_")) and name != "DATABASE_URL"
    }
