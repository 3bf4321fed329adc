"""What the assistant speaks, the whole desk speaks; what is missing is named."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import pytest

from channels.email.settings import EmailSettings
from core.adapters import language as telling
from core.domain.languages import CONSOLE_LANGUAGES, LANGUAGES, SOURCE, by_preference, spoken
from core.services.turns import other_languages
from core.texts import Catalogue, language_name

ROOT = Path(__file__).parents[2]
FOREIGN = [code for code in LANGUAGES if code != SOURCE]
PACKAGES = ["core", "channels.email", "channels.slack", "channels.telegram", "channels.webchat"]


def spoken_by_the_assistant() -> tuple[str, ...]:
    """Return `LANGUAGES` of the assistant, which is a program of its own."""
    tree = ast.parse((ROOT / "bot" / "inputs" / "turn.py").read_text("utf-8"))
    (languages,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LANGUAGES"
    )
    return tuple(ast.literal_eval(languages))


def test_the_desk_speaks_what_its_assistant_speaks() -> None:
    assert spoken_by_the_assistant() == tuple(LANGUAGES)


def test_every_language_has_words_that_tell_it() -> None:
    assert set(telling._TELLING.values()) == set(LANGUAGES)


@pytest.mark.parametrize("part", ["header", "footer", "signature"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_has_settings_in_every_language(part: str, language: str) -> None:
    assert f"{part}_{language}" in EmailSettings.model_fields


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("package", PACKAGES)
def test_everything_that_speaks_has_the_words_of_every_language(
    package: str, language: str
) -> None:
    catalogue = Catalogue(package)
    said = {sentence for one in FOREIGN for sentence in catalogue.words(one)}
    assert said
    assert said - catalogue.words(language).keys() == set()


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("package", PACKAGES)
def test_a_translation_fills_in_the_same_values(package: str, language: str) -> None:
    def values(sentence: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}

    for sentence, translation in Catalogue(package).words(language).items():
        assert translation, sentence
        assert values(translation) == values(sentence), sentence


@pytest.mark.parametrize(
    ("package", "languages"),
    [*((package, LANGUAGES) for package in PACKAGES), ("console", CONSOLE_LANGUAGES)],
)
def test_no_folder_of_words_is_for_a_language_that_is_not_spoken(
    package: str, languages: Mapping[str, str]
) -> None:
    folders = (resources.files(package) / "locale").iterdir()
    assert {folder.name for folder in folders} == set(languages) - {SOURCE}


def test_the_button_of_the_chat_has_words_in_every_language() -> None:
    script = (ROOT / "channels" / "webchat" / "static" / "widget.js").read_text("utf-8")
    table = script.partition("const translations = {")[2].partition("};")[0]
    assert re.findall(r"^ +(\w+): \{ open:", table, re.MULTILINE) == list(LANGUAGES)


@pytest.mark.parametrize("language", other_languages._SENTENCES)
def test_who_is_not_understood_is_told_which_languages_are(language: str) -> None:
    said = other_languages.sentence_in(language)
    assert said is not None
    assert all(language_name(one, language) in said for one in LANGUAGES)


def test_a_language_that_is_not_spoken_gives_english() -> None:
    texts = Catalogue("channels.telegram")
    assert texts.text("eo", "Talk to a person") == "Talk to a person"
    assert texts.text(None, "Talk to a person") == "Talk to a person"
    assert texts.text("es-MX", "Talk to a person") == "Hablar con una persona"
    assert texts.text("es", "Nobody wrote this") == "Nobody wrote this"


def test_languages_are_named_in_the_readers() -> None:
    assert language_name("es", "en") == "Spanish"
    assert language_name("en", "es") == "inglés"
    assert language_name("xx", "en") == "xx"
    assert language_name("not a language", "en") == "not a language"


def test_the_first_language_that_is_spoken_is_taken() -> None:
    assert spoken(None, "fr", "es_MX", "en") == "es"
    assert spoken("fr", default="es") == "es"
    assert spoken("../es") == "en"


def test_the_most_wanted_language_comes_first() -> None:
    assert by_preference("fr, en;q=0.5, es;q=0.7, de;q=0") == ["fr", "es", "en"]
    assert by_preference("es;q=high, en;q=0.1") == ["en"]
