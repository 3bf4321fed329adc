"""The manifest grants what the code needs, and nothing else; the set-up page explains it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.simulator.slack.platform import GRANTED
from channels.slack.grants import BOT_EVENTS, BOT_SCOPES, METHODS
from channels.slack.interactions import ASK_SHORTCUT
from channels.slack.vocabulary import IGNORED_EVENTS

ROOT = Path(__file__).parents[3]
CODE = sorted((ROOT / "channels" / "slack").glob("*.py"))
FOLLOWS_FROM_EVENTS = {
    "app_mentions:read": {"app_mention"},
    "channels:history": {"message.channels"},
    "groups:history": {"message.groups"},
    "im:history": {"message.im"},
    "mpim:history": {"message.mpim"},
    "reactions:read": {"reaction_added", "reaction_removed"},
    "users:read": {"user_change"},
}
"""Scopes that Slack asks for so that an app may hear of events."""
BESIDES = {"chat:write.customize", "commands", "users:read.email"}
"""Scopes that belong to features and fields, not to methods or events."""


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "docs" / "channels" / "slack-manifest.yaml").read_text())


def test_the_manifest_has_the_scopes_of_the_code(manifest: Any) -> None:
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(BOT_SCOPES)


def test_the_manifest_subscribes_to_the_events_of_the_code(manifest: Any) -> None:
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(BOT_EVENTS)


def test_the_manifest_has_the_shortcut_and_the_command(manifest: Any) -> None:
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", ASK_SHORTCUT)
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == "/support"


def test_the_manifest_over_http_differs_only_in_how_slack_reaches_the_desk(manifest: Any) -> None:
    over_http = yaml.safe_load(
        (ROOT / "docs" / "channels" / "slack-manifest-http.yaml").read_text()
    )
    (command,) = over_http["features"]["slash_commands"]
    settings = over_http["settings"]
    addresses = {
        command.pop("url"),
        settings["event_subscriptions"].pop("request_url"),
        settings["interactivity"].pop("request_url"),
    }
    assert addresses == {"https://desk.example/channels/slack/acme/events"}
    assert (settings.pop("socket_mode_enabled"), manifest["settings"]["socket_mode_enabled"]) == (
        False,
        True,
    )
    assert over_http == manifest | {
        "settings": {k: v for k, v in manifest["settings"].items() if k != "socket_mode_enabled"}
    }


def test_each_scope_is_needed_by_a_method_an_event_or_a_feature() -> None:
    needed = {scope for scope in METHODS.values() if scope}
    needed |= {scope for scope, events in FOLLOWS_FROM_EVENTS.items() if events & set(BOT_EVENTS)}
    assert needed | BESIDES == set(BOT_SCOPES)


def test_each_method_that_the_code_calls_is_in_the_table() -> None:
    quoted = {
        name
        for path in CODE
        if path.name != "grants.py"
        for name in re.findall(
            r'"((?:apps|auth|chat|conversations|files|users|views)\.[a-zA-Z.]+)"', path.read_text()
        )
    }
    assert quoted == set(METHODS)


def test_the_page_explains_each_scope_as_the_code_does() -> None:
    page = (ROOT / "docs" / "channels" / "slack.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_:.]+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == dict(BOT_SCOPES)


def test_the_simulated_workspace_grants_the_same() -> None:
    assert sorted(GRANTED) == sorted(BOT_SCOPES)


def test_no_event_is_subscribed_to_for_nothing() -> None:
    handled_beside = {"app_home_opened", "app_uninstalled", "tokens_revoked"}
    assert {event for event in BOT_EVENTS if event in IGNORED_EVENTS} == handled_beside
