"""Which words a misspelt one is meant to be."""

from __future__ import annotations

import pytest

from components.alarms.vocabulary import words_of
from components.spelling.known import known_words
from components.spelling.slips import is_slip
from components.spelling.vocabulary import Vocabulary

KNOWN = known_words(("en", "es"))
SMOKE = Vocabulary(["smoke", "person", "billing"], KNOWN, margin=100)


@pytest.mark.parametrize("word", ["smke", "smooke", "smpke", "msoke", "smoek", "moke"])
def test_one_letter_missing_too_many_or_wrong_and_two_exchanged_are_a_slip(word: str) -> None:
    assert is_slip(word, "smoke")


@pytest.mark.parametrize("word", ["xmoke", "asmoke", "smk", "skome", "smokers", ""])
def test_all_else_is_none(word: str) -> None:
    assert not is_slip(word, "smoke")


def test_a_misspelt_word_is_read_as_meant() -> None:
    assert SMOKE.mended("a persn saw smooke, smoek.") == "a person saw smoke, smoke."


@pytest.mark.parametrize("text", ["smoked", "spoke", "persona", "killing", "what they wrote"])
def test_words_in_use_stay(text: str) -> None:
    assert SMOKE.mended(text) == text


@pytest.mark.parametrize(
    "text", ["persn@example.org", "https://persn.org/smoek", "x/persn", "o'persn"]
)
def test_parts_of_addresses_stay(text: str) -> None:
    assert SMOKE.mended(text) == text


def test_a_word_that_is_rather_another_stays() -> None:
    assert Vocabulary(["idiota"], KNOWN, margin=0).mended("idioa") == "idioa"


def test_the_words_of_a_pattern_are_read_off_it() -> None:
    pattern = (
        r"\b(?:talk|talking) (?:to |with )?(?:an? )?(?:agent(?! of)|tecnic[oa])s?\b[^.]{0,9}\bnow\b"
    )
    assert words_of([pattern], []) >= {"talk", "talking", "agent", "agents", "tecnicas", "now"}


def test_a_word_with_an_open_end_is_each_known_one_that_begins_so() -> None:
    found = words_of([r"\bsuicid\w* watch"], ["suicide", "suicidal", "sugar"])
    assert found == {"suicid", "suicide", "suicidal", "watch"}
