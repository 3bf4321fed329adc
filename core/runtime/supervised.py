"""How a process that `desk run` started notices that its supervisor is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

VARIABLE = "DESK_SUPERVISED"
"""Set to 1 for the children of a supervisor; their standard input is a pipe from it."""

_LAST_WORDS_SECONDS = 3.0


def exit_with_parent() -> None:
    """Arrange for this process to end when its supervisor does, killed or not.

    The kernel closes the supervisor's end of the pipe with the supervisor, so nothing has to be
    asked periodically. Does nothing in a process that was started by hand.
    """
    if os.environ.get(VARIABLE) == "1":
        threading.Thread(target=_wait_for_end_of_input, name="parent", daemon=True).start()


def _wait_for_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # an orderly end, if it comes soon
    time.sleep(_LAST_WORDS_SECONDS)
    os._exit(1)
