"""What is wrong with an account's settings is said by the form's own labels."""

from __future__ import annotations

import ast
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from channels.email.settings import EmailSettings
from channels.slack.settings import SlackSettings
from console.pages.accounts import problems_in_words
from console.texts import translate
from console.words.accounts import WRONG
from core.services.accounts.fields import InvalidSettings, fields_of, validated

ROOT = Path(__file__).parents[3]
MAILBOX = {"address": "help@desk.example", "imap_host": "imap.desk.example"}


def told(
    language: str, model: type[BaseModel], values: dict[str, Any]
) -> tuple[dict[str, str], str]:
    """Return what is told beside fields, and of the form as a whole."""
    with pytest.raises(InvalidSettings) as refused:
        validated(model, values)
    beside, whole = problems_in_words(refused.value, partial(translate, language), fields_of(model))
    assert whole is not None
    return beside, whole


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "“IMAP host” or “LMTP host” has to say where mail comes from"),
        ("es", "“Servidor IMAP” o “Dirección LMTP” tiene que decir de dónde viene el correo"),
    ],
)
def test_what_is_about_two_fields_names_them_as_the_form_does_and_marks_both(
    language: str, said: str
) -> None:
    beside, whole = told(language, EmailSettings, {"address": "help@desk.example"})
    assert whole == said
    assert beside == {"imap_host": said, "lmtp_host": ""}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("model", "values", "marked"),
    [
        (EmailSettings, {"after_processing": "move"}, {"after_processing", "move_to"}),
        (EmailSettings, {"sent_folder": "INBOX"}, {"sent_folder"}),
        (EmailSettings, {"smtp_host": "smtp.x", "smtp_security": "none"}, {"smtp_security"}),
        (
            EmailSettings,
            {"dkim_domain": "desk.example"},
            {"dkim_domain", "dkim_selector", "dkim_private_key"},
        ),
        (SlackSettings, {"bot_token": "xoxb-1"}, {"app_token", "signing_secret"}),
    ],
)
def test_no_setting_is_called_by_its_name_in_a_form(
    language: str, model: type[BaseModel], values: dict[str, Any], marked: set[str]
) -> None:
    base = MAILBOX if model is EmailSettings else {}
    beside, whole = told(language, model, {**base, **values})
    assert set(beside) == marked
    assert not re.search(r"[{}]|[a-z]_[a-z]", whole), whole


def test_who_writes_settings_by_name_reads_their_names() -> None:
    with pytest.raises(InvalidSettings, match=r"^imap_host or lmtp_host has to say"):
        validated(EmailSettings, {"address": "help@desk.example"})


@pytest.mark.parametrize("kind", ["email", "slack", "telegram"])
def test_what_kinds_say_of_their_settings_is_among_the_words_of_the_console(kind: str) -> None:
    tree = ast.parse((ROOT / "channels" / kind / "settings.py").read_text("utf-8"))
    said = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "ValueError"
        and isinstance(node.args[0], ast.Constant)
    }
    assert said
    assert said <= set(WRONG)
