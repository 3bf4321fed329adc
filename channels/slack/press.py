"""A message of ours after one of its buttons was pressed: the choice stands where they were."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from channels.slack import mrkdwn
from channels.slack.fields import Fields
from channels.slack.interactions import CHOICE_ACTION
from channels.slack.texts import text
from core.ports import Refusal

PRESSED_IN_VAIN: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.ALREADY_CHOSEN: "This was answered already. Write to us if you need anything else.",
        Refusal.UNKNOWN_CHOICE: "This can no longer be chosen. Please write to us instead.",
    }
)
"""What people are told whose press changed nothing."""


def pressed_blocks(payload: Fields, language: str) -> Mapping[str, Any] | None:
    """Return arguments of `chat.update` for a `block_actions` payload; None where nothing is due.

    The buttons of an old message may be gone already: then there is nothing to put in their place.
    """
    message, container = payload.inner("message"), payload.inner("container")
    channel = container.text("channel_id")
    ts = container.text("message_ts")
    label = next(
        (
            action.inner("text").text("text")
            for action in payload.each("actions")
            if action.text("action_id").startswith(f"{CHOICE_ACTION}:")
        ),
        "",
    )
    blocks = [dict(block.values) for block in message.each("blocks")]
    kept = [block for block in blocks if block.get("type") != "actions"]
    if not (channel and ts and label) or len(kept) == len(blocks):
        return None
    chosen = text(language, "Chosen: {label}", label=label)
    kept.append(
        {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn.escape(chosen)}]}
    )
    return {"channel": channel, "ts": ts, "text": message.text("text") or chosen, "blocks": kept}
