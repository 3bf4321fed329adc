"""Accounts in the environment: read by the kind's own settings; mistakes name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import InvalidInput
from core.wiring.environment import declared_accounts
from tests.support import pager

KINDS = {"pager": pager.KIND}


def test_an_account_has_the_settings_that_its_variables_say() -> None:
    (account,) = declared_accounts(
        {
            "DESK_PAGER__ON_DUTY__TOKEN": "s3cret",
            "DESK_PAGER__ON_DUTY__TOPICS": "fire, water",
            "DESK_PAGER__ON_DUTY__BEEP": "false",
            "DESK_PAGER__ON_DUTY__EXTRA": '{"a": "b"}',
            "DESK_HOST": "127.0.0.1",
            "PATH": "/bin",
        },
        KINDS,
    )
    assert (account.id, account.kind) == ("on-duty", "pager")
    settings = account.settings
    assert isinstance(settings, pager.PagerSettings)
    assert settings.token.get_secret_value() == "s3cret"
    assert settings.topics == ("fire", "water")
    assert settings.beep is False
    assert settings.extra == {"a": "b"}


def test_a_secret_can_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    (account,) = declared_accounts({"DESK_PAGER__DUTY__TOKEN_FILE": str(secret)}, KINDS)
    assert isinstance(account.settings, pager.PagerSettings)
    assert account.settings.token.get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DESK_PIGEON__A__TOKEN": "x"}, "DESK_PIGEON__A__TOKEN: there is no kind of channel"),
        ({"DESK_PAGER__TOKEN": "x"}, "DESK_PAGER__TOKEN: write DESK_PAGER__NAME__SETTING"),
        ({"DESK_PAGER__Ñ__TOKEN": "x"}, "DESK_PAGER__Ñ__TOKEN: write DESK_PAGER__NAME__SETTING"),
        (
            {"DESK_PAGER__A__TOKN": "x"},
            "DESK_PAGER__A__TOKN: there is no such setting (did you mean TOKEN?)",
        ),
        ({"DESK_PAGER__A_B__PORT": "25"}, "DESK_PAGER__A_B__TOKEN: this is needed"),
        (
            {"DESK_PAGER__A__TOKEN": "x", "DESK_PAGER__A__PORT": "many"},
            "DESK_PAGER__A__PORT: Input should be a valid integer",
        ),
        (
            {"DESK_PAGER__A__TOKEN": "x", "DESK_PAGER__A__SERVER": "a b"},
            "DESK_PAGER__A__SERVER: a server's name has no spaces",
        ),
        (
            {"DESK_PAGER__A__TOKEN": "x", "DESK_PAGER__A__EXTRA": "{"},
            "DESK_PAGER__A__EXTRA: this is not JSON",
        ),
        (
            {"DESK_PAGER__A__TOKEN_FILE": "/nowhere"},
            "DESK_PAGER__A__TOKEN_FILE: the file cannot be read: No such file or directory",
        ),
        (
            {"DESK_PAGER__A__TOKEN": "x", "DESK_PAGER__A__TOKEN_FILE": "/dev/null"},
            "says the same setting",
        ),
        (
            {"DESK_PAGER__WEBCHAT__TOKEN": "x"},
            "DESK_PAGER__WEBCHAT__TOKEN: another account is called webchat already",
        ),
        (
            {"DESK_PAGER__A__TOKEN": "x", "DESK_RADIO__A__TOKEN": "x"},
            "DESK_RADIO__A__TOKEN: another account is called a already",
        ),
    ],
)
def test_a_mistake_is_a_line_that_names_the_variable(variables: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        declared_accounts(variables, KINDS | {"radio": pager.KIND})
    assert said in str(refused.value)


def test_no_mistake_repeats_a_secret() -> None:
    with pytest.raises(InvalidInput) as refused:
        declared_accounts(
            {"DESK_PAGER__A__TOKEN": "s3cret", "DESK_PAGER__A__PORT": "s3cret"}, KINDS
        )
    assert "s3cret" not in str(refused.value)


def test_a_declared_account_does_not_show_its_secret_in_a_log() -> None:
    (account,) = declared_accounts({"DESK_PAGER__A__TOKEN": "s3cret"}, KINDS)
    assert "s3cret" not in repr(account)
