"""What Slack's errors mean to the desk."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from channels.slack.errors import as_delivery_errors
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)


def refusal(
    code: str | None, status: int = 200, headers: dict[str, str] | None = None, **more: str
) -> SlackApiError:
    content: dict[str, Any] = {"ok": False, **more} | ({"error": code} if code else {})
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="https://slack.com/api/x",
        req_args={},
        data=content if code else {},
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("no", response)  # type: ignore[no-untyped-call]


def meaning(error: Exception, method: str = "chat.postMessage") -> DeliveryError:
    with pytest.raises(DeliveryError) as raised, as_delivery_errors(method):
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_auth", BadCredentials),
        ("token_revoked", BadCredentials),
        ("account_inactive", BadCredentials),
        ("not_authed", BadCredentials),
        ("channel_not_found", Rejected),
        ("is_archived", Rejected),
        ("not_in_channel", Rejected),
        ("restricted_action", Rejected),
        ("msg_too_long", Rejected),
        ("something_new", Rejected),
        ("fatal_error", Uncertain),
        ("internal_error", Uncertain),
        ("service_unavailable", Unavailable),
        ("request_timeout", Unavailable),
    ],
)
def test_codes(code: str, kind: type[DeliveryError]) -> None:
    assert type(meaning(refusal(code))) is kind


def test_a_missing_scope_is_named_in_the_remedy() -> None:
    error = meaning(refusal("missing_scope", needed="files:write", provided="chat:write"))
    assert isinstance(error, BadCredentials)
    assert "files:write" in str(error)
    assert "files:write" in error.remedy


def test_posting_waits_by_channel_and_looking_up_by_account() -> None:
    headers = {"Retry-After": "30"}
    posting = meaning(refusal("ratelimited", 429, headers), "chat.postMessage")
    asking = meaning(refusal("ratelimited", 429, headers), "users.info")
    assert isinstance(posting, Throttled)
    assert isinstance(asking, Throttled)
    assert posting.retry_after == asking.retry_after == 30.0
    assert (posting.scope, asking.scope) == (ThrottleScope.THREAD, ThrottleScope.ACCOUNT)


@pytest.mark.parametrize(
    ("status", "kind"), [(500, Uncertain), (502, Uncertain), (503, Unavailable), (504, Uncertain)]
)
def test_gateways_answers(status: int, kind: type[DeliveryError]) -> None:
    assert type(meaning(refusal(None, status))) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiohttp.ServerDisconnectedError(), Uncertain),
        (aiohttp.ClientOSError(104, "reset"), Uncertain),
        (TimeoutError(), Uncertain),
        (aiohttp.ConnectionTimeoutError(), Unavailable),
        (ConnectionResetError(), Uncertain),
    ],
)
def test_networks_faults(error: Exception, kind: type[DeliveryError]) -> None:
    assert type(meaning(error)) is kind
