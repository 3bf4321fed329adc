"""What a process hears through its standard input from the one that started it.

A line means "go", the end of input means that whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

VARIABLE = "DESK_SUPERVISED"
"""Set to 1 for the children of a supervisor; their standard input is a pipe from it.

So it may be for a supervisor itself, which then stops the desk when its own parent is gone.
"""

GATED_VARIABLE = "DESK_GATED"
"""Set to 1 for children that are to be ready to start, and to start on a line of input."""

_LAST_WORDS_SECONDS = 3.0


def exit_with_parent() -> None:
    """Arrange for this process to end when its supervisor does, killed or not.

    The kernel closes the supervisor's end of the pipe with the supervisor, so nothing has to be
    asked periodically. Does nothing in a process that was started by hand.
    """
    _when_input_ends(_exit)


def heed_parent(gone: Callable[[], None]) -> None:
    """Have the running loop call `gone` when the parent ends; see `exit_with_parent`."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed: this process is ending already
            loop.call_soon_threadsafe(gone)

    _when_input_ends(tell)


def wait_for_go() -> None:
    """Return when the supervisor says go, or at once in a process that need not wait.

    Called after the slow imports and before the first use of the database, which by then has this
    release's schema. Call it before `exit_with_parent`, which reads the same input.
    """
    if os.environ.get(GATED_VARIABLE) == "1" and not os.read(sys.stdin.fileno(), 1):
        raise SystemExit(1)  # the supervisor is gone


def _when_input_ends(then: Callable[[], None]) -> None:
    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        then()

    if os.environ.get(VARIABLE) == "1":
        threading.Thread(target=wait, name="parent", daemon=True).start()


def _exit() -> None:
    os.kill(os.getpid(), signal.SIGTERM)  # an orderly end, if it comes soon
    time.sleep(_LAST_WORDS_SECONDS)
    os._exit(1)
