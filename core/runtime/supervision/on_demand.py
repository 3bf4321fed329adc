"""How the supervisor learns that some account's platform has to be asked for news.

The web server knows; a file in the home tells. A process that nothing needs is not started: it
would cost as much memory as the web server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from core.runtime.machine.polling import until
from core.runtime.supervision.child import Child

_LOOK_SECONDS = 0.5


def tell(wanted: Path, *, is_wanted: bool) -> None:
    """Let the supervisor of this home know whether receivers are needed."""
    with contextlib.suppress(FileNotFoundError):  # the home is being taken away
        if is_wanted:
            wanted.touch()
        else:
            wanted.unlink(missing_ok=True)


async def keep_while_wanted(wanted: Path, new_child: Callable[[], Child]) -> None:
    """Keep a child running whenever `wanted` is there; until cancelled."""
    while True:
        await _until(wanted, there=True)
        child = new_child()
        keeping = asyncio.create_task(child.keep(), name=child.name)
        try:
            await _until(wanted, there=False)
            await child.stop()
            await keeping
        finally:
            keeping.cancel()


async def _until(path: Path, *, there: bool) -> None:
    async def is_so() -> bool:
        return path.exists() is there  # noqa: ASYNC240 - one look at a local folder

    await until(is_so, every=_LOOK_SECONDS)
