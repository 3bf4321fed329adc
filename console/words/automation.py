"""What rules, macros and webhooks are called in the console; English, keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.automation import actions
from core.domain.automation.actions import ActionKind, Told
from core.domain.automation.alerts import HookFormat
from core.domain.automation.calls import CallProblem
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.teams import Onward

TRIGGER: Mapping[str, str] = {
    Trigger.OPENED: "A ticket is opened",
    Trigger.CHANGED: "A ticket is changed",
    Trigger.REQUESTER_WROTE: "The requester writes",
    Trigger.AGENT_WROTE: "An agent answers",
    Trigger.RATED: "The requester gives a score",
    Trigger.PROMISE_AT_RISK: "An SLA is at risk",
    Trigger.PROMISE_BROKEN: "An SLA is breached",
    Trigger.IDLE: "Time-based: as hours pass",
}

FIELD: Mapping[str, str] = {
    Field.STATUS: "Status",
    Field.PRIORITY: "Priority",
    Field.TYPE: "Type",
    Field.IMPACT: "Impact",
    Field.URGENCY: "Urgency",
    Field.REASON: "Reason",
    Field.CHANNEL: "Channel",
    Field.ACCOUNT: "Account",
    Field.LANGUAGE: "Language",
    Field.TEAM: "Team",
    Field.LEVEL: "Level",
    Field.ASSIGNEE: "Assignee",
    Field.CATEGORY: "Category, or one below it",
    Field.TAGS: "Tags",
    Field.SUBJECT: "Subject",
    Field.MESSAGE: "What was said",
    Field.REQUESTER: "Requester",
    Field.VIP: "VIP",
    Field.ORGANISATION: "Organisation",
    Field.PLAN: "Support plan",
    Field.SCORE: "Score",
    Field.HOURS_OPEN: "Hours open",
    Field.HOURS_IDLE: "Hours idle",
    Field.HOURS_TO_PROMISE: "Hours until an SLA is breached",
    Field.OUTSIDE_HOURS: "Outside business hours",
    Field.CUSTOM: "Field of a category",
}

COMPARISON: Mapping[str, str] = {
    Comparison.IS: "is",
    Comparison.IS_NOT: "is not",
    Comparison.HAS: "has",
    Comparison.HAS_NOT: "has not",
    Comparison.MORE: "is at least",
    Comparison.LESS: "is less than",
    Comparison.AT_MOST: "is at most",
    Comparison.EMPTY: "is empty",
    Comparison.FILLED: "is filled",
    Comparison.CHANGED: "has changed",
    Comparison.CHANGED_TO: "has changed to",
    Comparison.CHANGED_FROM: "has changed from",
}

YES_NO: Mapping[str, str] = {"yes": "yes", "no": "no"}

NOBODY_NAMED: Mapping[str, str] = {actions.NOBODY: "nobody"}

ACTION: Mapping[str, str] = {
    ActionKind.SET_PRIORITY: "Set the priority to",
    ActionKind.SET_STATUS: "Set the status to",
    ActionKind.SET_TYPE: "Set the type to",
    ActionKind.SET_IMPACT: "Set the impact to",
    ActionKind.SET_URGENCY: "Set the urgency to",
    ActionKind.SET_TEAM: "Assign to the team",
    ActionKind.SET_LEVEL: "Bring it to the level",
    ActionKind.SET_CATEGORY: "Set the category to",
    ActionKind.SET_FIELD: "Set the field",
    ActionKind.ASSIGN: "Assign to the agent",
    ActionKind.ESCALATE: "Escalate it to",
    ActionKind.NOTIFY: "Notify",
    ActionKind.ADD_WATCHER: "Add the watcher",
    ActionKind.ADD_TAG: "Add the tag",
    ActionKind.REMOVE_TAG: "Remove the tag",
    ActionKind.REPLY: "Tell the requester",
    ActionKind.NOTE: "Leave a note",
    ActionKind.WEBHOOK: "Call the webhook",
    ActionKind.MARK_SPAM: "Mark it as spam",
}

ONWARD: Mapping[str, str] = {Onward.NEXT: "the next level", Onward.LEAD: "a lead"}

TOLD: Mapping[str, str] = {
    Told.ASSIGNEE: "its agent",
    Told.LEAD: "its leads",
    Told.TEAM: "its team",
}

DELIVERED: Mapping[str, str] = {
    "waiting": "Waiting to be sent",
    "done": "Done",
    "failed": "Given up",
}
"""What became of a webhook's call."""

CALL_PROBLEM: Mapping[str, str] = {
    CallProblem.ADDRESS: "Nothing can be sent to this address: check how it is written.",
    CallProblem.UNKNOWN_HOST: "There is no server of this name: check the address.",
    CallProblem.INTERNAL: (
        "The address leads into an internal network, which DESK_WEBHOOK_OWN_HOSTS does not allow."
    ),
    CallProblem.UNREACHABLE: "The server could not be reached: nobody listens at this address.",
    CallProblem.INSECURE: "No encrypted connection could be made: check the server's certificate.",
    CallProblem.PROXY: "The proxy of DESK_WEBHOOK_PROXY did not let it through: {answer}",
    CallProblem.SLOW: "The server did not answer in time.",
    CallProblem.BROKEN: "The connection broke before there was an answer.",
    CallProblem.REDIRECTED: "The server leads elsewhere ({answer}); calls do not follow.",
    CallProblem.REFUSED: "The server refused it: {answer}",
    CallProblem.UNREADABLE: "The secret cannot be read with the desk's key: renew it.",
    CallProblem.TURNED_OFF: "The webhook was turned off.",
    CallProblem.UNEXPECTED: "The desk could not make the call; its log says why.",
}
"""Why a call of a webhook was not taken."""

HOOK_FORMAT: Mapping[str, str] = {
    HookFormat.ALERTMANAGER: "Prometheus Alertmanager",
    HookFormat.MAPPED: "JSON, by a mapping",
}

MAPPING: Mapping[str, str] = {
    "key": "Key of the matter",
    "subject": "Subject",
    "text": "Text",
    "priority": "Priority",
    "category": "Category",
    "team": "Team",
    "requester": "Requester's e-mail address",
    "tags": "Tags",
    "over_path": "What says that it is over",
}
"""What a mapping of a program's reports names."""

WRONG_CONDITION = (
    "“{field}” cannot be compared like this",
    "the condition about “{field}” has no value",
    "“{field}” is compared with a number",
    "“{field}” is compared with a number or a date",
    "“{field}” is compared with a number up to a million",
    "“{field}” is yes or no",
)
"""What is wrong with a condition."""

WRONG_NAME = (
    "nothing here is called “{name}”",
    "several are called “{name}”: rename one",
    "“{name}” names nothing here",
    "a template does not know “{name}”",
    "a template has values, conditions and simple filters: “{name}” is none of them",
)

SAID = (
    "there is no such choice",
    "a mapping says where the key and the subject are",
    "a mapping names up to 30 fields, each with where it is",
    "a path, label or value in a mapping has up to 200 characters",
    "a mapping names up to 20 values that say that it is over",
    "a mapping names each field once",
    "a report is a JSON object",
    "a rule looks when something happens: choose what",
    "a rule does something: add an action",
    "a time-based rule needs a condition, such as hours idle",
    "only a rule about a changed ticket can look at what changed",
    "a change is of one thing: of several, one can be enough",
    "a condition names the field that it looks at",
    "a name has 1 to 120 characters",
    "there is no such priority",
    "a ticket cannot be given this status",
    "there is no such type",
    "an impact is low, medium or high",
    "an urgency is low, medium or high",
    "a level is 1, 2 or 3",
    "an action names the field that it sets",
    "an action needs a value",
    "what is marked as spam is left alone: let that be the last action",
    "a macro has a text, or does something",
    "a macro's texts are in languages that the desk speaks",
    "a macro has one text in each language",
    "a macro in several languages has a text in each of them",
    "what a macro says is its text",
    "a webhook's address begins with https:// or http://",
    "a webhook's address holds no password",
    "this address is internal: whoever runs the desk can allow it in DESK_WEBHOOK_OWN_HOSTS",
    "there is no such macro",
    "there is no such webhook",
    "there is no such rule",
    "there is no such call",
    "the template is nested too deeply",
    "a rule that passes tickets on names, as a condition, teams that you see",
)
"""What errors about rules, macros and webhooks say for themselves."""
