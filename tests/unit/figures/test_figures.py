"""Medians out of buckets, and what periods there can be."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidInput
from core.domain.figures import Measure, Period, Spread, spread, tally
from tests.support.buckets import bucket_of


@given(st.lists(st.integers(0, 60 * 60 * 24 * 400), min_size=1, max_size=60))
def test_a_median_out_of_buckets_is_near_the_true_one(seconds: list[int]) -> None:
    found = spread(Counter(map(bucket_of, seconds)))
    assert found.count == len(seconds)
    assert found.median is not None
    low, high = statistics.median_low(seconds), statistics.median_high(seconds)
    assert (low + 1) / 1.11 - 1 <= found.median <= (high + 1) * 1.11 - 1


def test_nine_in_ten_out_of_buckets_is_near_the_true_one() -> None:
    found = spread(Counter(map(bucket_of, range(0, 100_000, 10))))
    assert found.p90 == pytest.approx(90_000, rel=0.05)


def test_nothing_has_no_median() -> None:
    for nothing in ({}, {3: 0}):
        assert spread(nothing) == Spread(count=0, median=None, p90=None)


def test_a_tally_knows_shares_and_the_average_score() -> None:
    made = tally(
        {
            Measure.SOLVED: {0: 10},
            Measure.REOPENED: {0: 1},
            Measure.KEPT: {0: 9},
            Measure.BROKEN: {0: 3},
            Measure.SCORE: {5: 3, 1: 1},
            Measure.CONVERSATIONS: {0: 8},
            Measure.ALONE: {0: 6},
        }
    )
    assert (made.reopened_share, made.kept_share) == (0.1, 0.75)
    assert (made.score, made.alone_share) == (4.0, 0.75)
    assert tally({}).kept_share is None


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    period = Period(first=date(2030, 3, 1), last=date(2030, 3, 10))
    assert period.before == Period(first=date(2030, 2, 19), last=date(2030, 2, 28))
    assert len(period.days) == len(period.before.days) == 10


@pytest.mark.parametrize("last", [date.min, date(1, 1, 5), date(1969, 12, 31), date(1970, 2, 5)])
def test_a_report_of_days_before_anybody_counted_is_refused(last: date) -> None:
    with pytest.raises(InvalidInput, match="1970"):
        assert Period.until(last).before


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2030, 1, 2), date(2030, 1, 1)), (date(2020, 1, 1), date(2030, 1, 1))],
)
def test_periods_that_run_backwards_or_too_long_are_refused(first: date, last: date) -> None:
    with pytest.raises(InvalidInput):
        Period(first=first, last=last)
