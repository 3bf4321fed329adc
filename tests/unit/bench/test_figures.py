"""What measured durations become in the report."""

from __future__ import annotations

import pytest

from bench.questions import TooFewQuestions, distinct_questions
from bench.report import Figure, at_least, at_most, table
from bench.timings import in_ms, percentile


def test_a_percentile_is_one_of_the_durations() -> None:
    durations = [0.4, 0.1, 0.3, 0.2]
    assert [percentile(durations, p) for p in (1, 50, 75, 95, 100)] == [0.1, 0.2, 0.3, 0.4, 0.4]


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_durations_are_told_in_milliseconds() -> None:
    assert in_ms([0.010, 0.020, 0.030]) == "p50 20 ms, p95 30 ms"


def test_a_target_is_met_up_to_its_limit() -> None:
    assert at_most("ratio", 2.0, 2.0, "x").is_met
    assert not at_most("ratio", 2.01, 2.0, "x").is_met
    assert at_least("rate", 500, 500, "messages/s").is_met
    assert not at_least("rate", 499, 500, "messages/s").is_met


def test_the_table_says_what_was_missed_and_what_was_only_compared() -> None:
    rows = table(
        [
            at_most("start", 7.0, 5.0, "s"),
            Figure(what="beside it", measured="9 | 10"),
            Figure(what="memory", measured="no /proc", target="≤ 300 MB"),
        ]
    ).splitlines()
    assert rows[2] == "| start | ≤ 5.00 s | 7.00 s | **missed** |"
    assert rows[3] == "| beside it |  | 9 / 10 |  |"
    assert rows[4].endswith("| not measured |")


def test_no_question_is_asked_twice() -> None:
    questions = distinct_questions(390)
    assert len({question.casefold() for question in questions}) == 390
    assert questions == distinct_questions(390)


def test_asking_for_more_questions_than_there_are_is_an_error() -> None:
    with pytest.raises(TooFewQuestions, match="1000000"):
        distinct_questions(1_000_000)
