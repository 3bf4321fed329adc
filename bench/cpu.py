"""How much processor time processes took: a figure that other programs at work hardly change."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def postgres_seconds(home: Path) -> float:
    """Return what the embedded server of `home` has taken so far, with all its processes."""
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    seconds = 0.0
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            said = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it ended: its parent counts it
            continue
        process, parent = int(entry.parent.name), int(said[1])
        if process == postmaster:
            seconds += sum(map(int, said[11:15]))  # its own, and of children that have ended
        elif parent == postmaster:
            seconds += sum(map(int, said[11:13]))
    return seconds / _TICKS


class Statements:
    """Counts the statements that an engine is asked for from now on."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.count = 0
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, *_details: object) -> None:
        self.count += 1
