"""What rules, macros and webhooks are called in the console; English, keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.automation.actions import ActionKind
from core.domain.automation.conditions import Comparison, Field
from core.domain.automation.rule import Trigger

TRIGGER: Mapping[str, str] = {
    Trigger.OPENED: "A ticket is opened",
    Trigger.CHANGED: "A ticket is changed",
    Trigger.REQUESTER_WROTE: "The requester writes",
    Trigger.AGENT_WROTE: "An agent answers",
    Trigger.RATED: "The requester gives a score",
    Trigger.PROMISE_AT_RISK: "A promise is at risk",
    Trigger.PROMISE_BROKEN: "A promise is broken",
    Trigger.IDLE: "By the clock, while nothing happens",
}

FIELD: Mapping[str, str] = {
    Field.STATUS: "Status",
    Field.PRIORITY: "Priority",
    Field.TYPE: "Type",
    Field.REASON: "Reason",
    Field.CHANNEL: "Channel",
    Field.ACCOUNT: "Account",
    Field.LANGUAGE: "Language",
    Field.TEAM: "Team",
    Field.ASSIGNEE: "Agent",
    Field.CATEGORY: "Category",
    Field.ORGANISATION: "Organisation",
    Field.LEVEL: "Level",
    Field.TAGS: "Tags",
    Field.SUBJECT: "Subject",
    Field.MESSAGE: "What was said",
    Field.REQUESTER: "Requester",
    Field.VIP: "VIP",
    Field.SCORE: "Score",
    Field.HOURS_OPEN: "Hours open",
    Field.HOURS_IDLE: "Hours idle",
}

COMPARISON: Mapping[str, str] = {
    Comparison.IS: "is",
    Comparison.IS_NOT: "is not",
    Comparison.HAS: "has",
    Comparison.HAS_NOT: "has not",
    Comparison.MORE: "is at least",
    Comparison.LESS: "is less than",
    Comparison.EMPTY: "is empty",
    Comparison.FILLED: "is filled",
}

ACTION: Mapping[str, str] = {
    ActionKind.SET_PRIORITY: "Set the priority to",
    ActionKind.SET_STATUS: "Set the status to",
    ActionKind.SET_TEAM: "Give it to the team",
    ActionKind.SET_CATEGORY: "Set the category to",
    ActionKind.ASSIGN: "Give it to the agent",
    ActionKind.ADD_TAG: "Add the tag",
    ActionKind.REMOVE_TAG: "Remove the tag",
    ActionKind.REPLY: "Tell the requester",
    ActionKind.NOTE: "Leave a note",
    ActionKind.WEBHOOK: "Call the webhook",
}

DELIVERED: Mapping[str, str] = {
    "waiting": "Waiting to be sent",
    "done": "Done",
    "failed": "Given up",
}
"""What became of a webhook's call."""

MAPPING = ("Key of the matter", "Subject", "Text", "Priority", "What says that it is over")
"""What a mapping of a program's reports names."""

SAID = (
    "a mapping says where the key and the subject are",
    "a report is a JSON object",
    "a rule looks when something happens: choose what",
    "a rule does something: add an action",
    "a rule by the clock needs a condition, such as hours idle",
    "a name has 1 to 120 characters",
    "there is no such priority",
    "a ticket cannot be given this status",
    "a macro has a text, or does something",
    "what a macro says is its text",
    "a webhook's address begins with https:// or http://",
    "a webhook's address holds no password",
    "there is no such macro",
    "there is no such webhook",
    "there is no such rule",
    "there is no such call",
)
"""What errors about rules, macros and webhooks say for themselves."""
