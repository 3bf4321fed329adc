"""`desk seed demo`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.settings import Settings
from core.storage import migrate as schema
from core.storage.engine import storage_errors
from core.wiring.demo.seed import Demo
from core.wiring.parts import open_parts


async def seed(settings: Settings, *, days: int) -> Sequence[str]:
    """Fill the desk; return what to print: who can sign in, and how."""
    async with open_parts(settings, "desk seed") as parts:
        async with storage_errors():
            await schema.migrate(parts.engine)
        await parts.directory.refresh()
        demo = Demo(parts, lambda words: print(words, file=sys.stderr), days)  # noqa: T201
        done = await demo.fill()
    lines = [f"{done.tickets} tickets. Sign in as, each link works once:"]
    return lines + [
        f"  {email:24} {settings.base_url}/console/sign-in/{token}"
        for email, token in done.agents.items()
    ]
