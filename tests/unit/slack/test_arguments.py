"""Which arguments the simulated Slack takes: those that Slack documents, of their kinds."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from channels.simulator.slack.limits import (
    MAX_BLOCKS,
    METHODS,
    Refused,
    check_arguments,
    check_blocks,
)

DOCUMENTED_ALONE = {"conversations.open": {"prevent_creation"}}
DOCUMENTED_ALONE["files.completeUploadExternal"] = {"blocks"}
"""What Slack's pages name and its library for Python leaves out."""
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": "yes"}
WORD = {"type": "text", "text": "x"}
SECTION = {"type": "rich_text_section", "elements": [WORD]}
LIST = {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [SECTION]}
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
        ("conversations.replies", {**THREAD, "limit": "9" * 5_000}, "limit is no number"),
        ("conversations.replies", {**THREAD, "limit": {}}, "limit is no number"),
        ("conversations.replies", {**THREAD, "inclusive": []}, "inclusive is no Boolean"),
        ("conversations.replies", {**THREAD, "oldest": "x"}, "oldest is no time"),
        ("conversations.replies", {**THREAD, "latest": {}}, "latest is no time"),
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


@pytest.mark.parametrize(
    "block",
    [
        "divider",
        {"type": []},
        {"type": "divider", "block_id": []},
        {"type": "context", "elements": "none"},
        {"type": "context", "elements": [5]},
        {"type": "actions", "elements": [[]]},
        {"type": "actions", "elements": [{**BUTTON, "action_id": {}}]},
        {"type": "actions", "elements": [{**BUTTON, "value": 5}]},
        {"type": "rich_text", "elements": ["x"]},
        {"type": "rich_text", "elements": [{"type": [], "elements": [{"type": "text"}]}]},
        {"type": "rich_text", "elements": [{**LIST, "style": []}]},
        {"type": "rich_text", "elements": [{**LIST, "indent": "1"}]},
        {"type": "rich_text", "elements": [{**SECTION, "elements": [{**WORD, "style": [[]]}]}]},
    ],
)
def test_blocks_of_another_form_are_refused(block: object) -> None:
    with pytest.raises(Refused) as refused:
        check_blocks([block], MAX_BLOCKS)
    assert refused.value.code == "invalid_blocks"


def test_blocks_that_those_differ_from_are_taken() -> None:
    elements = [SECTION, LIST]
    check_blocks(
        [{"type": "actions", "elements": [BUTTON]}, {"type": "rich_text", "elements": elements}],
        MAX_BLOCKS,
    )


def test_numbers_and_flags_may_be_text_in_an_address() -> None:
    given = {**THREAD, "limit": "200", "inclusive": "1", "oldest": "0", "latest": "1.000000"}
    check_arguments("conversations.replies", given)
