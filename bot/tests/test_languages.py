"""Which language words are in, and what of it is not spoken here."""

from __future__ import annotations

import pytest

from components.spelling.languages import Languages

LANGUAGES = Languages(("en", "es"))


@pytest.mark.parametrize(
    "text",
    [
        "je ne peux pas me connecter",
        "ich habe mein passwort vergessen",
        "non riesco ad accedere alla mia posta",
        "nao consigo entrar no meu email",
        "ik kan niet inloggen",
    ],
)
def test_another_language_is_told_by_a_few_words(text: str) -> None:
    assert LANGUAGES.is_another(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4711",
        "foire",
        "jeder",
        "fier",
        "vpn",
        "i forgot my pasword",
        "no puedo entar al portal",
        "necesito un replacement para mi laptop",
        "me puede ayudar por favor",
        "the mail of ms dupont de la fontaine",
    ],
)
def test_a_word_alone_slips_and_mixtures_of_ours_tell_no_other(text: str) -> None:
    assert not LANGUAGES.is_another(text)


def test_a_short_word_that_is_hardly_used_but_elsewhere_is_told_where_it_is_alone() -> None:
    for text in ("foire", "foire!", "jeder", "112 fiore"):
        assert LANGUAGES.is_one_word_of_another(text)
    for text in ("", "fire", "fuegoo", "la foire", "representatieve", "4711"):
        assert not LANGUAGES.is_one_word_of_another(text)


def test_a_language_that_is_spoken_is_not_another() -> None:
    assert not Languages(("en", "fr")).is_another("je ne peux pas me connecter")


def test_shares_are_of_one_whole() -> None:
    for word in ("the", "contrasena", "jeder", "zyxware"):
        assert sum(LANGUAGES.shares(LANGUAGES.told(word))) == pytest.approx(1.0)


def test_what_is_common_elsewhere_is_rarer_here() -> None:
    rarity = LANGUAGES.rarity_elsewhere()
    assert rarity["jeder"] < rarity["foire"]
    assert rarity["jeder"] > 400
