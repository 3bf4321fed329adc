"""What a tolerance means is counted from what the base's own questions found."""

from __future__ import annotations

import pytest

from core.domain.tolerance import Prospect
from core.services.knowledge.offering import ALL
from core.services.knowledge.tolerance import outlooks
from core.storage.queries.knowledge.own_questions import OwnFound


def found(
    *scores: float, right_at: int | None, language: str = "en", is_lost: bool = False
) -> list[OwnFound]:
    one = OwnFound(language=language, scores=scores, right_at=right_at, is_lost=is_lost)
    return [one] * 10


ASKED = [
    *found(0.99, 0.005, right_at=0),
    *found(0.95, 0.02, right_at=0),
    *found(0.95, 0.02, right_at=None),
    *found(0.4, 0.3, 0.1, right_at=1),
    *found(0.4, 0.3, 0.1, right_at=None),
    *found(0.2, 0.1, right_at=0),
    *found(0.96, 0.01, right_at=None, is_lost=True),
    *found(0.3, 0.2, 0.1, right_at=None, is_lost=True),
    *found(right_at=None, is_lost=True),
]


def test_each_question_is_counted_once_at_each_tolerance() -> None:
    strict, lax = outlooks(ASKED, {}, tolerances=[2, 10])[ALL]
    assert strict == Prospect(
        wrong_per_hundred=2,
        answered_right=10,
        offered_right=20,
        offered_wrong=20,
        handed_off=10,
        lost_offered=20,
        lost_handed_off=10,
    )
    assert lax == Prospect(
        wrong_per_hundred=10,
        answered_right=20,
        answered_wrong=10,
        offered_right=10,
        offered_wrong=10,
        handed_off=10,
        lost_answered=10,
        lost_offered=10,
        lost_handed_off=10,
    )


def test_a_base_offers_from_its_own_threshold_on() -> None:
    (careful,) = outlooks(ASKED, {"en": 0.85}, tolerances=[10])[ALL]
    assert (careful.offered_right, careful.handed_off, careful.lost_offered) == (0, 30, 0)


def test_languages_are_told_apart_where_each_has_enough() -> None:
    spanish = found(0.99, right_at=0, language="es")
    assert set(outlooks([*ASKED, *spanish], {}, tolerances=[10])) == {ALL, "en"}
    assert set(outlooks([*ASKED, *spanish * 3], {}, tolerances=[10])) == {ALL, "en", "es"}
    assert set(outlooks(ASKED, {}, tolerances=[10])) == {ALL}
    assert outlooks(spanish, {}, tolerances=[10]) == {}


def test_wrong_answers_are_counted_as_if_some_questions_had_no_article() -> None:
    one = Prospect(wrong_per_hundred=10, answered_right=6, answered_wrong=2, handed_off=2)
    assert one.wrong_in_a_hundred(lost=0) == pytest.approx(25)
    lost = Prospect(wrong_per_hundred=10, answered_right=10, lost_answered=1, lost_handed_off=9)
    assert lost.wrong_in_a_hundred(lost=0.25) == pytest.approx(100 * 0.025 / 0.775)
    assert Prospect(wrong_per_hundred=1, handed_off=5).wrong_in_a_hundred(lost=0.25) is None
