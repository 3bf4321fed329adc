"""Locks on files that the kernel lets go of when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.runtime.machine.polling import until

_LOOK_AGAIN_SECONDS = 0.05


class FileLock:
    """An advisory lock (`flock`) on one file; the file itself stays when the lock is let go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock if nobody's hold forbids it; return whether it is ours now."""
        self.release()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    async def wait(self, *, seconds: float, shared: bool = False) -> bool:
        """Take the lock within `seconds`; return whether it is ours now."""

        async def taken() -> bool:
            return self.take(shared=shared)

        return await until(taken, every=_LOOK_AGAIN_SECONDS, seconds=seconds)

    def release(self) -> None:
        """Let the lock go; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
