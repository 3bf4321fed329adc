"""A program that is only needed at times runs at those times."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from core.runtime.machine.polling import until
from core.runtime.machine.processes import is_alive
from core.runtime.supervision.child import Child, always
from core.runtime.supervision.on_demand import keep_while_wanted, tell


async def test_a_child_runs_while_it_is_wanted(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted"
    made: list[Child] = []

    def new_child() -> Child:
        made.append(
            Child(
                "receiver",
                always(sys.executable, "-c", "input()"),
                environment=os.environ,
                log=tmp_path / "receiver.log",
                say=lambda _: None,
            )
        )
        return made[-1]

    async def runs() -> bool:
        return bool(made) and made[-1].pid is not None

    async def does_not_run() -> bool:
        return made[-1].pid is None

    keeping = asyncio.create_task(keep_while_wanted(wanted, new_child))
    try:
        tell(wanted, is_wanted=False)
        assert not made
        tell(wanted, is_wanted=True)
        assert await until(runs, every=0.02, seconds=20)
        first = made[0].pid
        assert first is not None
        tell(wanted, is_wanted=False)
        assert await until(does_not_run, every=0.02, seconds=20)
        assert not is_alive(first)
        tell(wanted, is_wanted=True)
        assert await until(runs, every=0.02, seconds=20)
        assert len(made) == 2
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await made[-1].stop()
