"""Which values of rules, macros and settings are names, by the field or action they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from console.words import classification, states
from console.words.automation import NOBODY_NAMED, ONWARD, TOLD, YES_NO
from core.domain.automation.actions import ActionKind
from core.domain.automation.fields import Field

KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Field.STATUS: ("status",),
        Field.PRIORITY: ("priority",),
        Field.TYPE: ("type",),
        Field.IMPACT: ("extent",),
        Field.URGENCY: ("extent",),
        Field.REASON: ("reason",),
        Field.CHANNEL: ("channel",),
        Field.TEAM: ("team",),
        Field.ASSIGNEE: ("agent",),
        Field.CATEGORY: ("category",),
        Field.ORGANISATION: ("organisation",),
        Field.PLAN: ("plan",),
        Field.VIP: ("yes_no",),
        Field.OUTSIDE_HOURS: ("yes_no",),
        ActionKind.SET_STATUS: ("status",),
        ActionKind.SET_PRIORITY: ("priority",),
        ActionKind.SET_TYPE: ("type",),
        ActionKind.SET_IMPACT: ("extent",),
        ActionKind.SET_URGENCY: ("extent",),
        ActionKind.SET_TEAM: ("team",),
        ActionKind.SET_CATEGORY: ("category",),
        ActionKind.ASSIGN: ("nobody", "agent"),
        ActionKind.ESCALATE: ("onward", "team"),
        ActionKind.NOTIFY: ("told", "agent", "team"),
        ActionKind.ADD_WATCHER: ("agent",),
        ActionKind.WEBHOOK: ("webhook",),
    }
)
"""Which names the values of a field or an action may be, by what it is called."""

FIXED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "status": states.STATUS,
        "priority": states.PRIORITY,
        "type": classification.KIND,
        "extent": classification.EXTENT,
        "reason": states.REASON,
        "channel": states.CHANNEL,
        "yes_no": YES_NO,
        "nobody": NOBODY_NAMED,
        "onward": ONWARD,
        "told": TOLD,
    }
)
"""The names that every desk has, by kind; all others are in the database."""
