"""An embedder for the length of one command, where none runs already."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.domain.errors import EmbedderUnavailable
from core.runtime.machine.addresses import free_ports, http_get
from core.runtime.machine.home import Home
from core.runtime.supervision import supervised
from core.runtime.supervision.logfiles import open_log

_HOST = "127.0.0.1"
_START_SECONDS = 30.0


@asynccontextmanager
async def embedder_running(url: str | None, home: Path) -> AsyncIterator[str]:
    """Yield `url`, or the address of an embedder that runs as long as the block.

    Raises:
        EmbedderUnavailable: it did not start.
    """
    if url is not None:
        yield url
        return
    (port,) = free_ports(1, _HOST)
    log = Home.at(home).logs / "embedder.log"
    command = (sys.executable, "-P", "-m", "core.wiring.program", "embed", _HOST, str(port))
    with open_log(log) as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,  # it ends with us, see `supervised`
            stdout=output,
            stderr=output,
            env={**os.environ, supervised.VARIABLE: "1"},
        )
    try:
        await _wait_until_up(process, port, log)
        yield f"http://{_HOST}:{port}/v1"
    finally:
        if process.returncode is None:
            process.kill()  # it keeps nothing
        await process.wait()


async def _wait_until_up(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.returncode is None and time.monotonic() < end:
        try:
            status, _ = await http_get(_HOST, port, "/health")
        except OSError:
            await asyncio.sleep(0.05)
            continue
        if status == 200:
            return
    raise EmbedderUnavailable(f"the embedder did not start (log: {log})")
