"""Payloads as Slack's documentation shows them; a test says only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from channels.slack.parse import parse
from channels.slack.reading import Reading
from core.domain.ids import AccountId

ACCOUNT = AccountId("acme")
BOT = "U0BOT"
ANA = "U2147483697"
GENERAL = "C024BE91L"
DIRECT = "D024BE91L"
TS = "1355517523.000005"
LATER = "1355517536.000001"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHOICE = "01890a5d-ac96-774b-bcce-b302099a8057"


def envelope(event: dict[str, Any], *, bot: str | None = BOT) -> dict[str, Any]:
    """An Events API payload."""
    authorizations = [] if bot is None else [{"team_id": "T1", "user_id": bot, "is_bot": True}]
    return {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": "Ev08MFMKH6",
        "event_time": 1234567890,
        "authorizations": authorizations,
        "event": event,
    }


def message(text: str = "hello", **fields: Any) -> dict[str, Any]:
    """A `message` event in the direct channel."""
    return {
        "type": "message",
        "channel": DIRECT,
        "channel_type": "im",
        "user": ANA,
        "text": text,
        "ts": TS,
        "event_ts": TS,
    } | fields


def mention(text: str = f"<@{BOT}> hello", **fields: Any) -> dict[str, Any]:
    """An `app_mention` event."""
    return message(text, type="app_mention", channel=GENERAL) | fields


def changed(new: dict[str, Any], old: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A `message_changed` event."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": DIRECT,
        "ts": LATER,
        "event_ts": LATER,
        "message": new,
        "previous_message": old,
    } | fields


def read(event: dict[str, Any], *, bot: str | None = BOT) -> Reading:
    """What an event is read as."""
    return parse(ACCOUNT, envelope(event, bot=bot), NOW)


def read_payload(payload: object) -> Reading:
    """What a payload is read as."""
    return parse(ACCOUNT, payload, NOW)


def pressed(**fields: Any) -> dict[str, Any]:
    """A `block_actions` payload."""
    return {
        "type": "block_actions",
        "user": {"id": ANA, "username": "ana", "name": "ana"},
        "container": {"type": "message", "message_ts": TS, "channel_id": DIRECT},
        "channel": {"id": DIRECT, "name": "directmessage"},
        "message": {"type": "message", "user": BOT, "ts": TS, "text": "Did this help?"},
        "actions": [
            {
                "type": "button",
                "action_id": "choice:0",
                "block_id": "choices:0",
                "value": CHOICE,
                "text": {"type": "plain_text", "text": "Yes"},
                "action_ts": LATER,
            }
        ],
    } | fields


def command(text: str, **fields: Any) -> dict[str, Any]:
    """The fields of a slash command."""
    return {
        "command": "/support",
        "text": text,
        "user_id": ANA,
        "user_name": "ana",
        "channel_id": GENERAL,
        "team_id": "T1",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "response_url": "https://hooks.slack.com/commands/1234/5678",
    } | fields


def shortcut(about: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A `message_action` payload."""
    return {
        "type": "message_action",
        "callback_id": "ask_support",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "action_ts": LATER,
        "message_ts": TS,
        "channel": {"id": GENERAL, "name": "general"},
        "user": {"id": ANA, "name": "ana"},
        "message": about,
        "response_url": "https://hooks.slack.com/app/1234/5678",
    } | fields
