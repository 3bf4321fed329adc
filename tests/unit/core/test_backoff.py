"""Pauses between attempts."""

from __future__ import annotations

import pytest

from core.domain.backoff import Backoff, Pauses


@pytest.mark.parametrize(
    ("failures", "most"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (5, 10.0), (5_000, 10.0)]
)
def test_pauses_double_up_to_the_longest_and_half_of_each_is_chance(
    failures: int, most: float
) -> None:
    backoff = Backoff(first_seconds=2.0, longest_seconds=10.0)
    pauses = [backoff.pause_seconds(failures) for _ in range(200)]
    assert most / 2 <= min(pauses) < max(pauses) <= most


def test_after_a_success_pauses_are_short_again() -> None:
    pauses = Pauses(Backoff(first_seconds=1.0, longest_seconds=64.0))
    grown = [pauses.next_seconds() for _ in range(7)]
    pauses.reset()
    assert pauses.next_seconds() <= 1.0 < 32.0 <= grown[-1]
