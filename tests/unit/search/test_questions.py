from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.search import MAX_WORDS, Fragment, passage, question_of


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1007", 1007), ("#1007", 1007), ("1007 printer", None), ("x1007", None), ("9" * 40, None)],
)
def test_a_number_alone_means_a_ticket(typed: str, number: int | None) -> None:
    assert question_of(typed).number == number


def test_one_word_may_be_an_address() -> None:
    assert question_of(" Ada@Example.org ").address == "ada@example.org"
    assert question_of("Ada Lovelace").address is None


def test_no_more_words_are_looked_for_than_can_be() -> None:
    assert len(question_of(" ".join(f"w{n}" for n in range(30))).words) == MAX_WORDS
    assert question_of(" \x00 ").is_empty


def test_a_passage_shows_where_most_words_stand_together() -> None:
    text = "printer " + "nothing to see here " * 30 + "the printer on the third floor is jammed"
    shown = passage(text, {"printer", "jammed"}.__contains__, max_chars=90)
    assert [one.text for one in shown if one.is_found] == ["printer", "jammed"]
    assert shown[0] == Fragment("… ", is_found=False)


@settings(max_examples=30)
@given(st.text(max_size=400), st.sets(st.text(min_size=1, max_size=5), max_size=5))
def test_a_passage_is_a_part_of_the_text(text: str, words: set[str]) -> None:
    shown = passage(text, words.__contains__, max_chars=60)
    said = "".join(one.text for one in shown).removeprefix("… ").removesuffix(" …")
    assert said in " ".join(text.split())
    assert all(one.text in words for one in shown if one.is_found)
