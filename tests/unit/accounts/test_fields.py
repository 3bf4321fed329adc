"""Settings of a kind of account as text, in and out."""

from __future__ import annotations

import pytest

from core.services.accounts.fields import (
    FieldShape,
    InvalidSettings,
    as_text,
    fields_of,
    open_values,
    read_settings,
    secret_values,
)
from tests.support.pager import PagerSettings


def test_a_form_can_be_made_from_the_settings_of_a_kind() -> None:
    fields = {field.name: field for field in fields_of(PagerSettings)}
    assert {name: field.shape for name, field in fields.items()} == {
        "token": FieldShape.SECRET,
        "signing_secret": FieldShape.SECRET,
        "server": FieldShape.TEXT,
        "port": FieldShape.NUMBER,
        "mode": FieldShape.CHOICE,
        "beep": FieldShape.FLAG,
        "topics": FieldShape.LIST,
        "extra": FieldShape.JSON,
    }
    assert fields["token"].is_required
    assert fields["token"].hint == "From the operator's page."
    assert fields["signing_secret"].label == "Signing secret"
    assert fields["mode"].choices == ("poll", "push")
    assert (fields["port"].default, fields["beep"].default) == ("2525", "true")


def test_settings_part_into_what_may_be_shown_and_what_may_not() -> None:
    settings = read_settings(PagerSettings, {"token": "s3cret", "port": "26", "topics": "a\nb"})
    assert open_values(settings) == {"port": 26, "topics": ["a", "b"]}
    assert secret_values(settings) == {"token": "s3cret"}


def test_an_empty_text_keeps_what_was_there() -> None:
    settings = read_settings(PagerSettings, {"token": " ", "server": ""}, {"token": "old"})
    assert isinstance(settings, PagerSettings)
    assert settings.token.get_secret_value() == "old"
    assert settings.server == "pager.example.org"


def test_every_mistake_is_told_with_its_field() -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(PagerSettings, {"port": "0", "mode": "shout"})
    assert [name for name, _ in refused.value.problems] == ["token", "port", "mode"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (False, "false"),
        (("a", "b"), "a\nb"),
        ({"a": 1}, '{"a": 1}'),
        (25, "25"),
    ],
)
def test_a_value_is_shown_as_it_can_be_entered(value: object, text: str) -> None:
    assert as_text(value) == text
