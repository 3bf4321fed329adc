"""How examples are shared out, and which way a model goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import IllegalTransition
from core.domain.models import (
    NO_LESSONS,
    Example,
    Lessons,
    ModelState,
    ModelTrigger,
    next_state,
)


def example(text: str, intent: str = "thanks", language: str = "en") -> Example:
    return Example(text=text, intent=intent, language=language)


def test_one_in_five_is_held_back_where_there_are_enough() -> None:
    many = [example(f"thanks number {n}") for n in range(100)]
    few = [example(f"bye {n}", "goodbye") for n in range(4)]
    lessons = Lessons.of([*many, *few])
    assert 10 <= len(lessons.held_back) <= 30
    assert all(one.intent == "thanks" for one in lessons.held_back)
    assert set(lessons.examples) | set(lessons.held_back) == {*many, *few}


texts = st.lists(st.text("abc", min_size=1, max_size=6), unique=True, max_size=30)


@given(texts=texts, others=texts)
def test_what_is_held_back_stays_so_while_others_come(texts: list[str], others: list[str]) -> None:
    before = Lessons.of([example(text) for text in texts])
    after = Lessons.of([example(text) for text in dict.fromkeys([*texts, *others])])
    assert set(before.held_back) <= set(after.held_back)
    assert not set(after.held_back) & set(after.examples)


@given(texts=texts)
def test_the_name_follows_the_set_and_not_its_order(texts: list[str]) -> None:
    lessons = Lessons.of([example(text) for text in texts])
    assert Lessons.of([example(text) for text in reversed(texts)]).name == lessons.name
    assert Lessons.of([example(text) for text in [*texts, "z"]]).name != lessons.name
    assert (lessons.name == NO_LESSONS) == (not texts)


def test_only_a_judged_model_serves() -> None:
    assert next_state(ModelState.PASSED, ModelTrigger.USED) == ModelState.LIVE
    assert next_state(ModelState.LIVE, ModelTrigger.REPLACED) == ModelState.RETIRED
    for state in (ModelState.QUEUED, ModelState.TRAINING, ModelState.BROKEN, ModelState.LIVE):
        with pytest.raises(IllegalTransition):
            next_state(state, ModelTrigger.USED)
