"""When a new model may take the place of the old one."""

from __future__ import annotations

import yaml
from assistant_process import BOT

from gate import SEARCHED, Answered, report


def answered(
    meant: str, old: str, new: str, *, language: str = "en", taught: bool = False
) -> Answered:
    return Answered(
        text=f"{meant} {old} {new}",
        language=language,
        meant=meant,
        old=old,
        new=new,
        is_taught=taught,
    )


SAME = [answered("thanks", "thanks", "thanks")] * 99


def test_what_is_the_same_passes_and_says_so() -> None:
    found = report(SAME)
    assert found["passed"] and found["languages"] == {"en": {"messages": 99, "old": 99, "new": 99}}
    assert found["better"] == found["worse"] == []


def test_one_in_a_hundred_may_be_lost_and_two_may_not() -> None:
    lost = answered("greet", "greet", "thanks")
    assert report([*SAME, lost])["passed"]
    found = report([*SAME, lost, lost])
    assert (found["passed"], found["reasons"]) == (False, ["language:en"])
    assert found["worse"][0]["new"] == "thanks"


def test_each_language_is_judged_by_itself() -> None:
    spanish = [answered("greet", "greet", "thanks", language="es")]
    assert report([*SAME, *spanish])["reasons"] == ["language:es"]


def test_an_alarm_that_is_missed_or_false_lets_it_fail() -> None:
    assert report([*SAME, answered("emergency", "emergency", "thanks")])["reasons"] == [
        "alarm_missed"
    ]
    assert report([*SAME, answered("thanks", "small_talk", "angry")])["reasons"] == ["false_alarm"]
    confused = answered("emergency", "emergency", "security_incident")
    assert report([*SAME, confused])["passed"]  # a human comes at once either way


def test_any_question_goes_to_the_search() -> None:
    found = report([*SAME, answered("ask_question", "ask_question", "nlu_fallback")])
    assert found["passed"] and not found["worse"]


def test_what_was_taught_must_not_get_worse() -> None:
    worse = answered("thanks", "thanks", "greet", taught=True)
    better = answered("thanks", "greet", "thanks", taught=True)
    assert report([*SAME, worse])["reasons"] == ["taught"]
    found = report([*SAME, better])
    assert found["passed"] and found["taught"] == {"messages": 1, "old": 0, "new": 1}


def test_what_is_searched_for_is_what_the_rules_put_to_the_search() -> None:
    rules = yaml.safe_load((BOT / "rules" / "rules.yml").read_text("utf-8"))["rules"]
    found = {
        rule["steps"][0]["intent"]
        for rule in rules
        if len(rule["steps"]) == 2 and rule["steps"][1].get("action") == "action_answer"
    }
    assert found == SEARCHED
