"""How a process's log file is opened, kept small, and read from its end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

_ROTATE_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 64 * 1024


def open_log(path: Path) -> IO[bytes]:
    """Open `path` for appending; one that has grown large becomes `NAME.log.1` first."""
    try:
        if path.stat().st_size > _ROTATE_BYTES:
            path.replace(path.with_name(path.name + ".1"))
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", 0)


def tail(path: Path, *, lines: int, after: int = 0) -> list[str]:
    """Return the last `lines` lines of `path` that begin at byte `after` or later."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            start = after if after <= size else 0  # rotated meanwhile
            log.seek(max(start, size - _TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
