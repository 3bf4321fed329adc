"""Tells a limit of one channel from one of the whole workspace, which Slack words the same way.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import time
from collections.abc import Callable

from core.domain.errors import Throttled, ThrottleScope


class ChannelLimits:
    """Remembers which channels of a workspace have to wait, by method.

    A method may be called about once a second for a channel, and some hundred times a minute for
    all. Where a second channel has to wait while the first one still does, it is taken for the
    limit of all, lest every thread run into it by itself.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[str, float]] = {}  # by method: a channel, and until when

    def told(self, method: str, channel: str, error: Throttled) -> Throttled:
        """Return what Slack's wish to wait, for a call of `method` about `channel`, holds up."""
        if error.scope is not ThrottleScope.THREAD:
            return error
        now = self._clock()
        other, until = self._waiting.get(method, (channel, now))
        if other != channel and now < until:
            return Throttled(error.retry_after, ThrottleScope.ACCOUNT)
        self._waiting[method] = channel, now + error.retry_after
        return error
