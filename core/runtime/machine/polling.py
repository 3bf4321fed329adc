"""Waiting for what nobody announces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], Awaitable[bool]], *, every: float, seconds: float | None = None
) -> bool:
    """Return True once `condition` holds, False when it has not within `seconds`."""
    end = None if seconds is None else time.monotonic() + seconds
    while not await condition():
        if end is not None and time.monotonic() >= end:
            return False
        await asyncio.sleep(every)
    return True
