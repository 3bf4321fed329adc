"""Settings, words and what it costs to have the channel at hand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

import channels.telegram
from channels.telegram.settings import TelegramSettings
from core.domain.languages import LANGUAGES
from core.texts import Catalogue

SOURCES = Path(channels.telegram.__file__).parent
TOKEN = SecretStr("123456:ABC-DEF_1")


@pytest.mark.parametrize("token", ["", "abc", "123456", "123456:", "12 3:x", "123:a b", "123:a/b"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValidationError, match="@BotFather") as raised:
        TelegramSettings(token=SecretStr(token))
    assert not token or token not in str(raised.value).replace("123456:ABC-DEF", "")


@pytest.mark.parametrize("address", ["api.telegram.org", "ftp://x", "https://", "https://a?b"])
def test_what_is_no_address_of_a_server_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings(token=TOKEN, api_url=address)


@pytest.mark.parametrize("secret", ["", "a b", "ñ", "x" * 257])
def test_a_secret_that_telegram_would_not_take_is_refused(secret: str) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings(token=TOKEN, webhook_secret=SecretStr(secret))


def test_a_token_tells_the_bots_id_and_nothing_else_of_it_is_printed() -> None:
    settings = TelegramSettings(token=TOKEN)
    assert settings.bot == 123456
    assert "ABC" not in repr(settings)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_a_catalogue_has_exactly_the_words_that_are_used(language: str) -> None:
    used = {
        words
        for source in SOURCES.glob("*.py")
        for words in re.findall(
            r"(?:\btext\([\w.]+, |\bRefusal\.\w+: )\"([^\"]+)\"", source.read_text()
        )
    }
    words = Catalogue("channels.telegram").words(language)
    assert set(words) == used
    assert all(words.values())


def test_knowing_the_channel_does_not_load_the_library() -> None:
    program = "import channels.telegram.kind, sys; print({'telegram', 'httpx'} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "set()"
