"""Which processes a running `desk run` has, and how one of them is killed on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from core.runtime.database.postmaster import server_of
from core.runtime.machine.addresses import http_get
from core.runtime.machine.home import Home, RunRecord
from core.runtime.machine.processes import is_alive


class Part(StrEnum):
    """A process of the desk that may be killed."""

    WEB = "web"
    WORKER = "worker"
    RECEIVER = "receiver"
    ASSISTANT = "assistant"
    POSTGRES = "postgres"


_COMMANDS: Mapping[Part, tuple[str, str]] = MappingProxyType(
    {
        Part.WEB: ("core.wiring.program", "serve"),
        Part.WORKER: ("core.wiring.program", "work"),
        Part.RECEIVER: ("core.wiring.program", "receive"),
        Part.ASSISTANT: ("main.py", "serve"),
    }
)


class SupervisedDesk:
    """The processes of the `desk run` of one home on this machine."""

    def __init__(self, home: Home, record: RunRecord) -> None:
        self._home = home
        self._record = record

    @classmethod
    def of(cls, home: Home) -> SupervisedDesk | None:
        """Return the desk that runs in `home`, or None where none does."""
        record = RunRecord.read(home)
        return None if record is None or not is_alive(record.pid) else cls(home, record)

    @property
    def address(self) -> str:
        """Return where its web server is on this machine."""
        return self._record.address

    async def serves(self) -> bool:
        """Say whether the web server answers."""
        address = urlsplit(self.address)
        try:
            status, _ = await http_get(address.hostname or "", address.port or 80, "/healthz")
        except OSError:
            return False
        return status == 200

    def pid(self, part: Part) -> int | None:
        """Return the process of `part`, or None while it does not run here."""
        if part is Part.POSTGRES:
            return self._postmaster()
        program, command = _COMMANDS[part]
        for pid, parent, words in _processes():
            is_it = command in words and any(word.endswith(program) for word in words)
            if is_it and parent == self._record.pid:
                return pid
        return None

    def kill(self, part: Part) -> int | None:
        """Kill `part` without warning; return which process that was, None where none ran."""
        pid = self.pid(part)
        if pid is None:
            return None
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return pid

    def _postmaster(self) -> int | None:
        if not self._record.database_url:  # a server of somebody else's
            return None
        # Not by the number alone, which a killed server leaves behind for anybody's process.
        return server_of(self._home.postgres)


def _processes() -> list[tuple[int, int, list[str]]]:
    """Return number, parent and command of every process."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,command="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return [(int(row[0]), int(row[1]), row[2:]) for row in rows if len(row) > 2]
