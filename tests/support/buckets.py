"""The buckets of lengths of time, worked out beside the database."""

from __future__ import annotations

import math

from core.domain.figures import GROWTH


def bucket_of(seconds: float) -> int:
    """Return the bucket that a length of time falls in, as the database works it out."""
    return math.floor(math.log(max(seconds, 0) + 1) / math.log(GROWTH))
