"""Knows when whoever started this process is gone: its standard input, a pipe, ends."""

from __future__ import annotations

import logging
import os
import signal
import threading

logger = logging.getLogger("assistant")

_STOP_SECONDS = 10


def exit_with_parent() -> None:
    """Arrange for this process to end when its standard input does."""
    threading.Thread(target=_stop_when_input_ends, daemon=True).start()


def _stop_when_input_ends() -> None:
    while os.read(0, 4096):
        pass
    logger.warning("standard input ended: stopping")
    timer = threading.Timer(_STOP_SECONDS, os._exit, args=(1,))
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)
