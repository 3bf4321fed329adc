"""How counts of figures are stored: pairs of big-endian 32-bit integers, a code and a number.

A code is a measure and a bucket in one. The database packs a day the same way (`int4send`).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import cast

from core.domain.figures import Buckets, Measure

_CODES: Mapping[Measure, int] = MappingProxyType(
    {
        Measure.OPENED: 1,
        Measure.SOLVED: 2,
        Measure.REOPENED: 3,
        Measure.FIRST_RESPONSE: 4,
        Measure.FIRST_RESPONSE_BUSINESS: 5,
        Measure.NEXT_RESPONSE: 6,
        Measure.NEXT_RESPONSE_BUSINESS: 7,
        Measure.RESOLUTION: 8,
        Measure.RESOLUTION_BUSINESS: 9,
        Measure.KEPT: 10,
        Measure.BROKEN: 11,
        Measure.SCORE: 12,
        Measure.CONVERSATIONS: 13,
        Measure.ALONE: 14,
        Measure.ASSISTANT: 15,
        Measure.WORK: 16,
        Measure.ASSISTANT_SCORE: 17,
    }
)
"""What stands for a measure in what is stored: never to be changed."""

_MEASURES = {code: measure for measure, code in _CODES.items()}
_BUCKETS = 1000  # more than there are: the longest times fall into the 200th


def code_of(measure: Measure, bucket: int = 0) -> int:
    """Return the code of a bucket of `measure`."""
    return _CODES[measure] * _BUCKETS + bucket


class CountsSum:
    """Stored counts, added up."""

    def __init__(self) -> None:
        self.opened = self.solved = 0
        self._counts: dict[int, int] = defaultdict(int)

    def add(self, counts: bytes, *, opened: int = 0, solved: int = 0) -> None:
        """Add a stored row."""
        self.opened += opened
        self.solved += solved
        numbers = iter(struct.unpack(f">{len(counts) // 4}i", counts))
        kept = self._counts
        for code, count in zip(numbers, numbers, strict=True):
            kept[code] += count

    def packed(self) -> bytes:
        """Return the sum as it is stored."""
        pairs = sorted(self._counts.items())
        return struct.pack(f">{2 * len(pairs)}i", *chain.from_iterable(pairs))


def added(counts: bytes) -> dict[Measure, Buckets]:
    """Return what stored rows, one behind the other, come to by measure and bucket.

    A report adds up millions of counts. NumPy does that in a fraction of the time; it is imported
    by whoever asks for a report, because a process that is never asked saves 23 MB.
    """
    import numpy as np

    pairs = np.frombuffer(counts, dtype=">i4").reshape(-1, 2)
    sums = np.bincount(pairs[:, 0], weights=pairs[:, 1])
    codes = np.flatnonzero(sums)
    measures, buckets = np.divmod(codes, _BUCKETS)
    numbers, starts = np.unique(measures, return_index=True)
    ends = np.append(starts, len(codes))[1:]
    totals = sums[codes].astype(int)
    return {
        _MEASURES[number]: dict(
            zip(buckets[start:end].tolist(), totals[start:end].tolist(), strict=True)
        )
        for number, start, end in zip(numbers.tolist(), starts, ends, strict=True)
    }


def spread_out(pairs: bytes) -> Sequence[int]:
    """Return the numbers that stand at given places, from place 0 to the last that is given.

    `pairs` has places and numbers in turn, packed as counts are; elsewhere stands 0.
    """
    import numpy as np

    places, numbers = np.frombuffer(pairs, dtype=">i4").reshape(-1, 2).T
    found = np.zeros(places.max(initial=-1) + 1, dtype=int)
    found[places] = numbers
    return cast("list[int]", found.tolist())


def packed(counts: Mapping[Measure, Buckets]) -> bytes:
    """Return `counts` as they are stored."""
    pairs = sorted(
        (code_of(measure, bucket), count)
        for measure, buckets in counts.items()
        for bucket, count in buckets.items()
    )
    return struct.pack(f">{2 * len(pairs)}i", *chain.from_iterable(pairs))
