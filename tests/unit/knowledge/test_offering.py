"""From how much on articles are offered follows from what a base's own questions reach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.services.knowledge.offering import ALL, offer_from, threshold, thresholds
from core.services.knowledge.ranking import OFFER_FROM

SUM = st.floats(0, 1)


def test_a_base_without_questions_has_the_threshold_of_bases_in_general() -> None:
    assert threshold([]) == OFFER_FROM
    assert offer_from({}, "en") == OFFER_FROM
    assert offer_from(thresholds([]), "en") == OFFER_FROM


def test_of_many_questions_97_in_100_reach_the_threshold() -> None:
    reached = [0.6 + number / 10_000 for number in range(3_000)]
    found = threshold(reached)
    assert sum(one >= found for one in reached) / len(reached) == pytest.approx(0.97, abs=0.01)


def test_a_few_questions_move_the_threshold_little() -> None:
    assert OFFER_FROM < threshold([0.9] * 3) < OFFER_FROM + 0.05


@given(st.lists(SUM, min_size=1, max_size=400))
def test_a_threshold_is_at_least_that_of_bases_in_general(reached: list[float]) -> None:
    assert OFFER_FROM <= threshold(reached) <= max(OFFER_FROM, *reached)


def test_each_language_has_its_own_threshold() -> None:
    known = thresholds([("en", 0.9)] * 300 + [("es", 0.6)] * 300)
    assert OFFER_FROM < offer_from(known, "es") < offer_from(known, "en")
    assert OFFER_FROM < offer_from(known, None) == known[ALL] < offer_from(known, "en")


def test_a_question_in_a_language_without_articles_is_not_held_to_more_than_in_general() -> None:
    assert offer_from(thresholds([("en", 0.9)] * 300), "pt") == OFFER_FROM
