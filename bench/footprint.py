"""How much memory the processes of a desk hold, told apart by what they are for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ROLES: Mapping[str, str] = {
    "core.runtime.supervision.supervisor": "supervisor",
    "core.wiring.program serve": "web",
    "core.wiring.program work": "worker",
    "core.wiring.program embed": "embedder",
    "core.wiring.program receive": "receiver",
    "main.py serve": "assistant",
    "postgres": "PostgreSQL",
}
DESK = ("supervisor", "web", "worker", "embedder", "receiver")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one or more processes, in bytes."""

    rss: int = 0  # in memory, pages shared with other processes counted in full
    pss: int = 0  # in memory, shared pages counted by shares: what adds up

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss)

    def __str__(self) -> str:
        return f"{self.pss / 1e6:.0f} MB ({self.rss / 1e6:.0f} MB RSS)"


def is_measurable() -> bool:
    """Return whether this system tells the memory of processes the way we ask."""
    return (_PROC / "self" / "smaps_rollup").exists()


def memory_by_role(supervisor: int) -> dict[str, Memory]:
    """Return the memory of `supervisor` and all that descends from it, by what it is for."""
    found: dict[str, Memory] = {}
    for process in [supervisor, *_descendants(supervisor)]:
        role = _role(process)
        try:
            memory = _memory_of(process)
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        if role is None:
            continue
        found[role] = found.get(role, Memory()) + memory
    return found


def process_of(supervisor: int, role: str) -> int | None:
    """Return the process id of `role` below `supervisor`, or None while it does not run."""
    for process in _descendants(supervisor):
        if _role(process) == role:
            return process
    return None


def _role(process: int) -> str | None:
    """Return what `process` is for, "other" where that is not known, None where it ended."""
    try:
        said = (_PROC / str(process) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    command = said.replace(b"\0", b" ").decode()
    return next((role for sign, role in _ROLES.items() if sign in command), "other")


def _memory_of(process: int) -> Memory:
    said = (_PROC / str(process) / "smaps_rollup").read_text()
    sizes = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB$", said, re.MULTILINE))
    return Memory(rss=int(sizes["Rss"]) * 1024, pss=int(sizes["Pss"]) * 1024)


def _descendants(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            said = entry.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(said.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry.parent.name))
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
