"""What an admin may set for a Slack account."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from channels.slack.channel import SlackOverHttp, SlackOverSocket, open_slack
from channels.slack.kind import KIND
from channels.slack.settings import SlackSettings
from channels.slack.texts import text
from core.domain.ids import AccountId
from core.ports import HandlesRequests
from tests.support.slack import channel_context

SOCKET = {"bot_token": "xoxb-1", "app_token": "xapp-1"}
HTTP = {"bot_token": "xoxb-1", "signing_secret": "shhh"}


def test_an_app_token_means_a_socket_and_a_signing_secret_requests() -> None:
    account, context = AccountId("acme"), channel_context()
    over_socket = open_slack(account, SlackSettings.model_validate(SOCKET), context)
    over_http = KIND.open(account, SlackSettings.model_validate(HTTP), context)
    assert isinstance(over_socket, SlackOverSocket)
    assert not isinstance(over_socket, HandlesRequests)
    assert isinstance(over_http, SlackOverHttp)
    assert isinstance(over_http, HandlesRequests)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"bot_token": "xoxb-1"}, "app_token"),
        (SOCKET | {"bot_token": "xoxp-1"}, "must begin with xoxb-"),
        (SOCKET | {"app_token": "xoxb-1"}, "must begin with xapp-"),
        (SOCKET | {"api_url": "slack.com"}, "http or https address"),
        (SOCKET | {"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(values: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as raised:
        SlackSettings.model_validate(values)
    assert "xoxp-1" not in str(raised.value)


def test_secrets_are_not_shown() -> None:
    settings = SlackSettings.model_validate(SOCKET | {"signing_secret": "shhh"})
    assert not any(secret in repr(settings) for secret in ("xoxb-1", "xapp-1", "shhh"))


def test_the_address_of_the_web_api_ends_with_a_slash() -> None:
    settings = SlackSettings.model_validate(SOCKET | {"api_url": "http://127.0.0.1:1/api"})
    assert settings.api_url == "http://127.0.0.1:1/api/"


def test_spanish_has_every_text_and_an_unknown_language_gets_english() -> None:
    assert text("es", "Your tickets") == "Sus tickets"
    assert text("fr", "Your tickets") == "Your tickets"
    assert text("es", "Chosen: {label}", label="Sí") == "Elegido: Sí"
