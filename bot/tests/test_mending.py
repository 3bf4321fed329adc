"""What was meant where somebody misspelt it."""

from __future__ import annotations

import json
import random

import pytest

from components.spelling.mending import Change, Examples, Mender, applied, typed_at
from components.spelling.slips import distance, is_slip, meant_by

LEARNED = Examples.of(
    [
        "I cannot print, the printer is offline",
        "reset my password",
        "none of those helped",
        "I need a new notebook from the store",
        "no puedo entrar en el portal",
        "Olvidé mi contraseña, no puedo entrar",
        "hablar con una persona",
        "the Zyxware client crashes",
    ]
)
MENDER = Mender(LEARNED, ["en", "es"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rseet my pasword", "reset my password"),
        ("the pinter is offine", "the printer is offline"),
        ("quiero hbalar con una persina", "quiero hablar con una persona"),
        ("is there a canteen or a camteen", "is there a canteen or a canteen"),
        ("the Zywxare client crashes", "the Zyxware client crashes"),
    ],
)
def test_slips_are_read_as_what_was_meant(typed: str, meant: str) -> None:
    assert MENDER.mended(typed) == meant


def test_a_long_word_of_the_examples_may_have_two_slips() -> None:
    assert MENDER.mended("olvide mi cotnrasenna") == "olvide mi contraseña"


def test_words_run_together_and_torn_apart_are_mended() -> None:
    assert MENDER.mended("nopuedo entrar") == "no puedo entrar"
    assert MENDER.mended("olvidé mi contra seña") == "olvidé mi contraseña"


def test_the_words_around_decide() -> None:
    assert MENDER.mended("nine of those helped") == "none of those helped"
    assert MENDER.mended("nine people are here") == "nine people are here"


def test_the_language_around_decides() -> None:
    assert MENDER.mended("what is the direcion") == "what is the direction"
    assert MENDER.mended("cuál es la direcion") == "cuál es la dirección"


@pytest.mark.parametrize(
    "text",
    [
        "I cannot log in to Okta",
        "necesito entrar en Okta hoy",
        "we need a Figma licence",
        "the OKTA page is blank",
    ],
)
def test_a_capital_inside_a_sentence_tells_a_name(text: str) -> None:
    assert MENDER.mended(text) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("please reset my Pasword", "please reset my Password"),  # too like a word of the examples
        ("Pinter is offline. Pinter again", "Printer is offline. Printer again"),
        ("I Cannot Open My Mailbx Today", "I Cannot Open My Mailbox Today"),
        ("I CANNOT OPEN MY MAILBX TODAY", "I CANNOT OPEN MY MAILBOX TODAY"),
    ],
)
def test_capitals_where_sentences_begin_tell_little_and_everywhere_nothing(
    typed: str, meant: str
) -> None:
    assert MENDER.mended(typed) == meant


def test_a_short_word_that_nobody_knows_may_be_a_name_where_it_begins_a_sentence() -> None:
    for text in ("Zoho is down", "Jamf keeps logging me out", "Hello. Snyk is down again"):
        assert MENDER.mended(text) == text
    assert MENDER.mended("Hlep me") == "Help me"


@pytest.mark.parametrize(
    "text", ["la foire est ouverte", "das weiß jeder", "não consigo entrar na minha conta"]
)
def test_words_of_another_language_stay(text: str) -> None:
    assert MENDER.mended(text) == text


def test_a_word_that_may_as_well_be_any_of_some_others_stays() -> None:
    learned = Examples.of(["there is a fire", "I cannot open the file", "that is fine"])
    assert Mender(learned, ["en", "es"]).mended("a fibe") == "a fibe"
    assert Mender(learned, ["en", "es"]).mended("a fier") == "a fire"


def test_capitals_and_accents_are_those_of_the_word() -> None:
    assert MENDER.mended("Contrasnea") == "Contraseña"
    assert MENDER.mended("PASWSORD") == "PASSWORD"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "i cant do it",
        "the laptop of Ms Kowalczyk",
        "persna@example.org",
        "https://portal.example.org/pasword",
        "C:\\usr\\pasword.txt",
        "ERR_PASWORD #4711",
        "мой пароль не работает",
        "😀 \ud800",
        "jeg kan ikke logge meg inn fordi skjermen henger",
    ],
)
def test_what_is_no_slip_stays(text: str) -> None:
    assert MENDER.mended(text) == text


def test_the_examples_themselves_stay() -> None:
    for text in ("the Zyxware client crashes", "Olvidé mi contraseña, no puedo entrar"):
        assert MENDER.mended(text) == text


def test_only_the_beginning_of_a_long_text_is_mended() -> None:
    text = "reset my pasword. " + "It is about work. " * 200 + "my pasword"
    assert MENDER.mended(text) == text.replace("pasword", "password", 1)


def test_examples_are_the_same_after_they_were_stored() -> None:
    assert Examples.from_json(json.loads(json.dumps(LEARNED.as_json()))) == LEARNED


def test_places_of_the_mended_text_are_those_of_what_was_typed() -> None:
    typed = "nopuedo netrar hoy"
    changes = [Change(0, 7, "no puedo"), Change(8, 14, "entrar")]
    assert applied(typed, changes) == "no puedo entrar hoy"
    assert typed_at(0, changes) == (0, 7)
    assert typed_at(9, changes) == (8, 14)
    assert typed_at(16, changes) == (15, 16)


def test_all_that_is_one_slip_away_is_found() -> None:
    found = meant_by("smke")
    assert {"smoke", "make", "skme", "sme", "smkes"} - found.keys() == {"make"}
    assert all(is_slip("smke", one) for one in found if one[0] == "s")
    assert found["smoke"] < found["smkez"]


@pytest.mark.parametrize(
    ("one", "other", "slips"), [("ab", "ab", 0), ("abcd", "acbd", 1), ("abcd", "badc", 2)]
)
def test_slips_between_two_words_are_counted(one: str, other: str, slips: int) -> None:
    assert distance(one, other, 3) == slips


def test_counting_ends_at_the_most() -> None:
    assert distance("printer", "keyboard", 2) == 3


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_counting_to_a_most_is_counting_without(most: int) -> None:
    dice = random.Random(most)
    for _ in range(500):
        one, other = ("".join(dice.choices("abc", k=dice.randrange(8))) for _ in range(2))
        assert distance(one, other, most) == min(distance(one, other, 99), most + 1)
