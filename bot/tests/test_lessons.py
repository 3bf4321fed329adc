"""What the desk may send as a set of examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lessons import NONE, BadLessons, Example, Lessons, choose, chosen, keep, kept, parse_lessons

NAME = "0123456789abcdef"
ROW = {"text": "ta very much", "intent": "thanks", "language": "en"}


def body(**changes: Any) -> dict[str, Any]:
    return {"lessons": NAME, "examples": [ROW], "held_back": [], **changes}


def test_a_set_is_read_and_kept_under_its_name(tmp_path: Path) -> None:
    lessons = parse_lessons(body(held_back=[{**ROW, "text": "cheers"}]), intents=["thanks"])
    assert lessons.examples == (Example(text="ta very much", intent="thanks", language="en"),)
    keep(tmp_path, lessons)
    assert kept(tmp_path, NAME) == lessons
    assert kept(tmp_path, "f" * 16) is None


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        body(lessons="../../etc"),
        body(lessons=None),
        body(examples="x"),
        body(examples=[{"text": "x"}]),
        body(examples=[{**ROW, "text": " "}]),
        body(examples=[{**ROW, "text": "x" * 501}]),
        body(held_back=[None]),
    ],
)
def test_what_is_no_set_is_refused(wrong: Any) -> None:
    with pytest.raises(BadLessons):
        parse_lessons(wrong, intents=["thanks"])


def test_examples_of_other_intents_are_left_out() -> None:
    lessons = parse_lessons(body(examples=[ROW, {**ROW, "intent": "gone"}]), intents=["thanks"])
    assert [one.intent for one in lessons.examples] == ["thanks"]


def test_the_choice_is_remembered_and_a_spoilt_one_is_none(tmp_path: Path) -> None:
    assert chosen(tmp_path) == NONE
    choose(tmp_path, NAME)
    assert chosen(tmp_path) == NAME
    choose(tmp_path, "../x")
    assert chosen(tmp_path) == NONE
    (tmp_path / f"lessons-{NAME}.json").write_text("{")
    assert kept(tmp_path, NAME) is None


def test_only_what_is_learned_makes_a_model_another() -> None:
    one = Example(text="a", intent="thanks", language="en")
    other = Example(text="b", intent="thanks", language="es")
    learned = Lessons(name=NAME, examples=(one, other), held_back=(one,)).learned
    assert learned == Lessons(name="f" * 16, examples=(other, one)).learned
    assert Lessons(name=NONE).learned == b""
