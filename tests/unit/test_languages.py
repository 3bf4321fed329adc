"""What the assistant speaks, the whole desk speaks; what is missing is named."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from channels.email import texts as email
from channels.slack import texts as slack
from channels.telegram import commands
from channels.telegram import texts as telegram
from channels.webchat import texts as webchat
from core import texts
from core.adapters import language as telling
from core.adapters import language_model
from core.domain import knowledge
from core.services import other_languages, speech
from core.settings import Settings

ROOT = Path(__file__).parents[2]
PLACES = {
    "core/domain/knowledge.py": knowledge.LANGUAGES,
    "core/settings.py": get_args(Settings.model_fields["default_language"].annotation),
    "channels/email/texts.py": email.LANGUAGES,
    "channels/slack/texts.py": slack.LANGUAGES,
    "channels/telegram/texts.py": telegram.LANGUAGES,
    "channels/webchat/texts.py": tuple(webchat.LANGUAGES),
    "channels/telegram/commands.py": tuple(commands._LANGUAGES),
    "core/adapters/language.py": tuple(set(telling._TELLING.values())),
    "core/adapters/language_model.py": tuple(language_model._LANGUAGES),
    "core/services/speech.py": tuple(speech._ONLY_IN),
}


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
    assert spoken_by_the_assistant() == texts.LANGUAGES


@pytest.mark.parametrize("place", PLACES)
def test_every_place_that_names_languages_names_all(place: str) -> None:
    assert set(PLACES[place]) == set(texts.LANGUAGES)


@pytest.mark.parametrize("language", [code for code in texts.LANGUAGES if code != "en"])
@pytest.mark.parametrize("channel", ["email", "slack", "telegram", "webchat"])
def test_every_channel_has_the_words_of_every_language(channel: str, language: str) -> None:
    locale = resources.files(f"channels.{channel}") / "locale"
    assert (locale / f"{language}.po").is_file()


@pytest.mark.parametrize("language", [code for code in texts.LANGUAGES if code != "en"])
def test_the_desk_has_its_own_sentences_in_every_language(language: str) -> None:
    assert (ROOT / "core" / "locale" / language / "LC_MESSAGES" / "desk.po").is_file()


def test_nobody_is_told_in_their_language_that_it_is_not_spoken_where_it_is() -> None:
    assert not set(other_languages._SENTENCES) & set(texts.LANGUAGES)
