"""What can be learned about a process from its number."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Return whether `pid` runs; one that has ended but was not yet collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:  # gone meanwhile, or a system without /proc
        return not Path("/proc/self").exists()
    return after_name.split()[0] not in {"Z", "X"}


def command_of(pid: int) -> list[str]:
    """Return the command line of `pid`, empty when it cannot be told."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1]
    except OSError:
        if Path("/proc/self").exists():
            return []
    listed = subprocess.run(  # noqa: S603
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.split()


def memory_kilobytes(pid: int) -> int:
    """Return the resident memory of `pid`; 0 when it cannot be told."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def give_way(pid: int, nice: int) -> None:
    """Let other processes go before `pid` where there is not enough for all.

    `nice` is how much less than this process it gets, from 1 to 19 (setpriority(2)). Linux groups
    processes by session and shares time among the groups first, so the group's own value counts
    there (sched(7), "The autogroup feature").
    """
    wanted = min(os.getpriority(os.PRIO_PROCESS, 0) + nice, 19)
    with suppress(OSError):  # it has ended
        os.setpriority(os.PRIO_PROCESS, pid, wanted)
        for thread in Path(f"/proc/{pid}/task").glob("[0-9]*"):  # Linux: each has its own
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), wanted)
    with suppress(OSError):  # a system without such groups
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
