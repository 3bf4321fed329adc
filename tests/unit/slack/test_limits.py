"""One channel's limit, or the workspace's."""

from __future__ import annotations

import pytest

from channels.slack.limits import ChannelLimits
from core.domain.errors import Throttled, ThrottleScope

POST = "chat.postMessage"


@pytest.mark.parametrize(
    ("method", "channel", "later", "scope"),
    [
        (POST, "C2", 1.0, ThrottleScope.ACCOUNT),
        (POST, "C1", 1.0, ThrottleScope.THREAD),  # the same one again
        (POST, "C2", 31.0, ThrottleScope.THREAD),  # the first has waited
        ("chat.update", "C2", 1.0, ThrottleScope.THREAD),
    ],
)
def test_a_second_channel_that_must_wait_beside_the_first_is_the_workspaces_limit(
    method: str, channel: str, later: float, scope: ThrottleScope
) -> None:
    now = 100.0
    limits = ChannelLimits(lambda: now)
    assert limits.told(POST, "C1", Throttled(30.0, ThrottleScope.THREAD)).scope is (
        ThrottleScope.THREAD
    )
    now += later
    told = limits.told(method, channel, Throttled(20.0, ThrottleScope.THREAD))
    assert (told.scope, told.retry_after) == (scope, 20.0)
