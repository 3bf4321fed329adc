"""What is held back is counted as it turned out, and what is below a bar is named."""

from __future__ import annotations

from bench import answers_right, understood_right
from bench.answers_right import Found
from bench.evaluate import Asked, Measured, Said, shortcomings, table, turn_figures
from bench.held_back import WRITTEN, Message, Question, messages, questions
from bench.understood_right import Understood
from core.domain.ids import ArticleId
from core.domain.knowledge import Hit


def found(family: str | None, *hits: tuple[str, float], language: str = "en") -> Found:
    return Found(
        question=Question(language=language, family=family, text="how?"),
        text="how?",
        hits=[Hit(article=ArticleId(name), title=name, score=score) for name, score in hits],
        families=[name for name, _ in hits],
        offer_from=0.45,
    )


def heard(
    meant: str, intent: str, *, searched: bool = False, alarm: bool = False, language: str = "en"
) -> Understood:
    return Understood(
        message=Message(language="en", intent=meant, text="how?"),
        intent=intent,
        confidence=0.9,
        guesses=[(intent, 0.9)],
        is_right=meant == intent,
        is_alarm=alarm,
        meant_alarm=meant == "emergency",
        is_searched=searched,
        language=language,
    )


RIGHT = found("vpn", ("vpn", 0.98))
WRONG = found("vpn", ("wifi", 0.98))
OFFERED = found("vpn", ("wifi", 0.4), ("vpn", 0.2))
LOST_ANSWERED = found(None, ("wifi", 0.98))
LOST = found(None, ("wifi", 0.1))


def test_what_becomes_of_questions_is_counted() -> None:
    all_of_them = [RIGHT, WRONG, OFFERED, LOST_ANSWERED, LOST]
    told = answers_right.figures(all_of_them, wrong_per_hundred=10)
    assert (told["n"], told["right"], told["answered"]) == (5, 0.6, 3)
    assert (told["answered_wrong"], told["wrong_of_answers"]) == (2, 0.6667)
    assert (told["offered_right"], told["handed_off"]) == (1, 0)
    assert (told["unanswerable"], told["unanswerable_answered"]) == (2, 1)
    strict = answers_right.figures(all_of_them, wrong_per_hundred=1)
    assert (strict["answered"], strict["wrong_of_answers"]) == (0, 0.0)


def test_alarms_and_languages_are_counted() -> None:
    told = understood_right.figures(
        [
            heard("emergency", "emergency", alarm=True),
            heard("emergency", "angry", alarm=True),
            heard("emergency", "thanks", language="es"),
            heard("thanks", "angry", alarm=True),
            heard("ask_question", "ask_question", searched=True),
        ]
    )
    assert (told["alarms"], told["alarms_missed"], told["reason_right"]) == (3, 1, 1)
    assert (told["false_alarms"], told["questions_searched"]) == (1, 1)
    assert (told["language_right"], told["language_wrong"]) == (4, 1)


def measured(*asked: Asked, said: tuple[Said, ...] = ()) -> Measured:
    return Measured(asked=dict.fromkeys(WRITTEN, asked), said=dict.fromkeys(WRITTEN, said))


QUESTION = heard("ask_question", "ask_question", searched=True)


def test_a_turn_is_right_where_intent_and_search_are() -> None:
    misled = heard("ask_question", "thanks")
    told = turn_figures(
        measured(
            Asked(understood=QUESTION, found=RIGHT),
            Asked(understood=misled, found=RIGHT),
            Asked(understood=QUESTION, found=LOST),
            Asked(understood=misled, found=LOST),
            said=(
                Said(understood=heard("thanks", "ask_question", searched=True), found=WRONG),
                Said(understood=heard("thanks", "thanks"), found=None),
            ),
        ),
        10,
    )["as written"]
    assert (told["questions_right"], told["questions_taken_for_else"]) == (0.5, 2)
    assert (told["out_of_scope"], told["out_of_scope_right"]) == (2, 1)
    assert (told["messages_right"], told["messages_shown_an_article"]) == (1, 1)
    assert (told["answers"], told["answers_wrong"]) == (2, 1)


def test_more_wrong_answers_than_accepted_are_below_the_bar() -> None:
    fine = {"n": 100, "right": 0.96, "answered_wrong": 0}
    understood = {
        **fine,
        "alarms_missed": 0,
        "questions": 40,
        "questions_searched": 40,
        "language_wrong": 0,
    }
    search, said = ({w: {"en": one, "es": one} for w in WRITTEN} for one in (fine, understood))
    turns = {"as written": {"answers": 100, "answers_wrong": 3}}
    assert shortcomings(search, said, turns, wrong_per_hundred=3) == []
    assert shortcomings(search, said, turns, wrong_per_hundred=2) == [
        "as written: 3 of 100 answers wrong, at most 2 in 100"
    ]
    worse = {**search, "misspelt": {"en": {**fine, "right": 0.9}, "es": fine}}
    assert shortcomings(worse, said, turns, wrong_per_hundred=3) == [
        "questions, en, misspelt: 6.0% lost, at most 3%"
    ]
    deaf = {**said, "as written": {"en": {**understood, "alarms_missed": 2}, "es": understood}}
    assert shortcomings(search, deaf, turns, wrong_per_hundred=3) == [
        "en: 2 alarms missed, at most 1"
    ]


def test_what_is_held_back_is_there_in_both_languages() -> None:
    for kind in (questions(), messages()):
        assert {one.language for one in kind} == {"en", "es"}
        assert len(kind) >= 200


def test_tables_stand_in_columns() -> None:
    assert table(["written", "of", "right"], [["plain", "en", 0.5], ["no accents", "es", 12]]) == (
        "written     of  right\nplain       en  50.0%\nno accents  es     12"
    )
