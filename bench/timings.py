"""What a list of durations says."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Return the smallest of `seconds` that at least `percent` of them do not exceed."""
    if not seconds:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(seconds)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def median(seconds: Sequence[float]) -> float:
    """Return the 50th percentile."""
    return percentile(seconds, 50)


def in_ms(seconds: Sequence[float]) -> str:
    """Return the median and the 95th percentile, in words."""
    return f"p50 {median(seconds) * 1000:.0f} ms, p95 {percentile(seconds, 95) * 1000:.0f} ms"
