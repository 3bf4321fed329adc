"""What Slack sends when something happens, as its documentation describes it.

https://docs.slack.dev/reference/events, https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from channels.simulator.slack.workspace import APP, BOT_USER, TEAM, Message, Person, Workspace

Payload = dict[str, Any]


def envelope(event: Mapping[str, Any], event_id: str) -> Payload:
    """Return the Events API payload around an event."""
    return {
        "token": "simulated",
        "team_id": TEAM,
        "api_app_id": APP,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event": dict(event),
    }


def posted(message: Message, *, as_mention: bool = False) -> Payload:
    """Return the event of a new message."""
    event = message.content() | {"channel": message.channel, "event_ts": message.ts}
    if as_mention:
        return event | {"type": "app_mention"}
    event["channel_type"] = _channel_type(message.channel)
    if message.files:
        event["subtype"] = "file_share"
    return event


def changed(message: Message, before: Mapping[str, Any], event_ts: str) -> Payload:
    """Return the event of an edited message."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": message.channel,
        "channel_type": _channel_type(message.channel),
        "message": message.content(),
        "previous_message": dict(before),
        "ts": event_ts,
        "event_ts": event_ts,
    }


def deleted(message: Message, event_ts: str) -> Payload:
    """Return the event of a deleted message."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": message.channel,
        "channel_type": _channel_type(message.channel),
        "deleted_ts": message.ts,
        "previous_message": message.content(),
        "ts": event_ts,
        "event_ts": event_ts,
    }


def reaction(
    person: Person, message: Message, emoji: str, event_ts: str, *, added: bool
) -> Payload:
    """Return the event of a reaction."""
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": person.id,
        "reaction": emoji,
        "item_user": message.user,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "event_ts": event_ts,
    }


def pressed(
    person: Person, message: Message, label: str, response_url: str, workspace: Workspace
) -> Payload:
    """Return the payload of a pressed button.

    Raises:
        LookupError: the message has no button with that label.
    """
    for block in message.blocks:
        for element in block.get("elements", []):
            if element.get("type") == "button" and element["text"]["text"] == label:
                action = element | {
                    "block_id": block.get("block_id", "b"),
                    "action_ts": workspace.ts(),
                }
                return _interaction(person, "block_actions", response_url) | {
                    "container": {
                        "type": "message",
                        "message_ts": message.ts,
                        "channel_id": message.channel,
                        "is_ephemeral": False,
                        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
                    },
                    "trigger_id": f"{workspace.number()}.simulated",
                    "channel": {
                        "id": message.channel,
                        "name": workspace.channels[message.channel],
                    },
                    "message": message.content(),
                    "actions": [action],
                }
    raise LookupError(f"the message has no button {label!r}")


def command(person: Person, text: str, channel: str, response_url: str, trigger: str) -> Payload:
    """Return the fields of a slash command."""
    return {
        "token": "simulated",
        "team_id": TEAM,
        "team_domain": "simulation",
        "channel_id": channel,
        "channel_name": "directmessage" if channel.startswith("D") else "general",
        "user_id": person.id,
        "user_name": person.name,
        "command": "/support",
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def shortcut(
    person: Person,
    message: Message,
    channel_name: str,
    *,
    response_url: str,
    trigger: str,
    action_ts: str,
) -> Payload:
    """Return the payload of the shortcut on a message."""
    return _interaction(person, "message_action", response_url) | {
        "callback_id": "ask_support",
        "trigger_id": trigger,
        "action_ts": action_ts,
        "message_ts": message.ts,
        "channel": {"id": message.channel, "name": channel_name},
        "message": message.content(),
    }


def _interaction(person: Person, kind: str, response_url: str) -> Payload:
    return {
        "type": kind,
        "api_app_id": APP,
        "token": "simulated",
        "team": {"id": TEAM, "domain": "simulation"},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": TEAM},
        "response_url": response_url,
    }


def _channel_type(channel: str) -> str:
    return {"D": "im", "G": "group"}.get(channel[:1], "channel")
