"""Counts as they are stored say the same when they are read."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from core.domain.figures import Measure
from core.storage.packed_counts import added, packed, spread_out

_COUNTS = st.dictionaries(
    st.sampled_from(Measure),
    st.dictionaries(st.integers(0, 250), st.integers(1, 10_000), min_size=1),
)


@given(_COUNTS, _COUNTS)
def test_rows_behind_each_other_are_added_up(
    one: dict[Measure, dict[int, int]], other: dict[Measure, dict[int, int]]
) -> None:
    expected: dict[Measure, dict[int, int]] = {}
    for counts in (one, other):
        for measure, buckets in counts.items():
            sums = expected.setdefault(measure, {})
            for bucket, count in buckets.items():
                sums[bucket] = sums.get(bucket, 0) + count
    assert added(packed(one) + packed(other)) == expected


@given(st.dictionaries(st.integers(0, 400), st.integers(-5_000, 5_000)))
def test_numbers_stand_where_they_are_put_and_nothing_elsewhere(numbers: dict[int, int]) -> None:
    pairs = b"".join(struct.pack(">2i", *pair) for pair in numbers.items())
    expected = [numbers.get(place, 0) for place in range(max(numbers, default=-1) + 1)]
    assert spread_out(pairs) == expected
