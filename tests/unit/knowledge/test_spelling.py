"""A mistyped word is near the word that was meant, and a rare one is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.services.knowledge.spelling import corrected, forms, meant, slip, words_of

WORDS = st.text(st.sampled_from("abcdeñost"), min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("passord", "password"),
        ("paswsord", "password"),
        ("acocunt", "account"),
        ("loost", "lost"),
        ("laprop", "laptop"),
        ("impresoa", "impresora"),
        ("inpresora", "impresora"),
        ("fatcura", "factura"),
    ],
)
def test_one_slip_leads_to_the_word(typed: str, word: str) -> None:
    assert meant(typed, [word, "printer", "window"]) == word


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("boot", "book"),
        ("root", "boot"),
        ("hotel", "motel"),
        ("acer", "hacer"),
        ("spnd", "password"),
    ],
)
def test_short_words_and_first_letters_are_not_bent(typed: str, near: str) -> None:
    assert meant(typed, [near]) is None


def test_the_likelier_slip_wins() -> None:
    assert meant("mailbx", ["mailbag", "mailbox", "mailb"]) == "mailbox"


@given(WORDS, st.data())
def test_what_is_one_slip_away_shares_a_form(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    typed = data.draw(
        st.sampled_from(
            [
                word[:place] + word[place + 1 :],
                word[: place + 1] + word[place:],
                word[:place] + word[place + 1] + word[place] + word[place + 2 :],
                word[:place] + "x" + word[place + 1 :],
            ]
        )
    )
    assert forms(typed) & forms(word)
    assert typed == word or slip(typed, word) is not None


@given(WORDS, WORDS)
def test_a_slip_is_no_more_than_one(typed: str, word: str) -> None:
    if not forms(typed) & forms(word):
        assert slip(typed, word) is None


def test_words_are_replaced_whole() -> None:
    assert words_of("my passord, my passord!") == ["passord"]
    assert corrected("my passord: passord1 pass", {"passord": "password"}) == (
        "my password: password1 pass"
    )
