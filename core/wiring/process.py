"""How a process of the desk begins its log and ends on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from typing import Any

from core.settings import Settings


async def until_told(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` until it ends or a signal asks for the end."""
    task = asyncio.ensure_future(main)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def begin_log(settings: Settings) -> None:
    """Log to standard error; libraries that tell every request are kept quiet."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("httpx", "httpcore", "procrastinate", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
