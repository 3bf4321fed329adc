"""Which arguments the simulated Slack takes: those that Slack documents, of their kinds."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from channels.simulator.slack.limits import METHODS, Refused, check_arguments

DOCUMENTED_ALONE = {"conversations.open": {"prevent_creation"}}
DOCUMENTED_ALONE["files.completeUploadExternal"] = {"blocks"}
"""What Slack's pages name and its library for Python leaves out."""
THREAD = {"channel": "C1", "ts": "1700000000.000100"}


@pytest.mark.parametrize("method", METHODS)
def test_its_arguments_are_those_of_slacks_own_library(method: str) -> None:
    known = inspect.signature(getattr(AsyncWebClient, method.replace(".", "_"))).parameters
    needed = {
        name for name, of in known.items() if of.default is of.empty and name not in _NO_ARGUMENTS
    }
    ours = METHODS[method].split()
    names = {name.removesuffix("!") for name in ours} - DOCUMENTED_ALONE.get(method, set())
    assert names <= {name.rstrip("_") for name in known}
    assert {name.removesuffix("!") for name in ours if name.endswith("!")} == needed


_NO_ARGUMENTS = {"self", "kwargs", "app_token"}  # the token is no argument of the call


@pytest.mark.parametrize(
    ("method", "arguments", "detail"),
    [
        ("chat.postMessage", {"channel": "C1", "colour": "red"}, "unknown argument colour"),
        ("chat.postMessage", {"text": "x"}, "missing argument channel"),
        ("chat.postMessage", {"channel": ""}, "argument channel is no name"),
        ("chat.postMessage", {"channel": "C1", "text": 5}, "argument text is no text"),
        ("chat.postMessage", {"channel": "C1", "blocks": "none"}, "blocks is no structure"),
        ("chat.postMessage", {"channel": "C1", "metadata": 5}, "metadata is no structure"),
        ("chat.postMessage", {"channel": "C1", "mrkdwn": "maybe"}, "mrkdwn is no Boolean"),
        ("chat.postMessage", {"channel": "C1", "thread_ts": 1.5}, "thread_ts is no time"),
        ("chat.update", {"channel": "C1", "ts": "yesterday"}, "ts is no time"),
        ("conversations.replies", {**THREAD, "limit": 1_001}, "limit is no number"),
        ("conversations.replies", {**THREAD, "limit": True}, "limit is no number"),
        ("conversations.replies", {**THREAD, "oldest": "x"}, "oldest is no time"),
        ("files.getUploadURLExternal", {"filename": "a", "length": 0}, "length is no number"),
    ],
)
def test_other_arguments_are_refused_as_slack_does(
    method: str, arguments: dict[str, Any], detail: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_arguments(method, arguments)
    assert refused.value.code == "invalid_arguments"
    assert detail in refused.value.more["detail"]


def test_numbers_and_flags_may_be_text_in_an_address() -> None:
    given = {**THREAD, "limit": "200", "inclusive": "1", "oldest": "0", "latest": "1.000000"}
    check_arguments("conversations.replies", given)
