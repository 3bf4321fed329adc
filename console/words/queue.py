"""What the queue's views, their orders and columns are called; English, keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.due_dates import DueDate
from core.domain.views import Column, Order, Promise, Whose

LABELS: Mapping[str, str] = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "all": "All",
    "breaching": "Due soon or late",
    "waiting": "Waiting for an answer",
    "assistant": "Assistant",
    "solved": "Solved",
}
"""Views that everybody has, in order."""

EMPTY: Mapping[str, str] = {
    "mine": "You have no open tickets.",
    "unassigned": "Nobody is waiting. Well done.",
    "all": "There are no open tickets.",
    "breaching": "Nothing is late, and nothing is due within the hour.",
    "waiting": "No ticket waits for somebody else.",
    "assistant": "The assistant is in no conversation right now.",
    "solved": "Nothing has been solved yet.",
}

ORDER: Mapping[str, str] = {
    Order.LONGEST_WAITING: "Most urgent, longest waiting",
    Order.LATEST_CHANGE: "Most urgent, changed last",
    Order.DUE: "Due first",
    Order.DUE_DATE: "By due date",
    Order.CHANGED: "Changed last",
    Order.NEWEST: "Newest",
    Order.OLDEST: "Oldest",
}

COLUMN: Mapping[str, str] = {
    Column.STATUS: "Status",
    Column.PRIORITY: "Priority",
    Column.REQUESTER: "Requester",
    Column.ORGANISATION: "Organisation",
    Column.ASSIGNEE: "Assignee",
    Column.TEAM: "Team",
    Column.CATEGORY: "Category",
    Column.CHANNEL: "Channel",
    Column.LANGUAGE: "Language",
    Column.TAGS: "Tags",
    Column.DUE: "Due",
    Column.DUE_DATE: "Due date",
    Column.CHANGED: "Last message",
    Column.CREATED: "Opened",
}

TABLE_HEADS = (
    *("Number", "Subject", "Status", "Priority", "Type", "Category", "Team", "Assignee"),
    *("Requester", "E-mail", "Organisation", "Channel", "Language", "Tags"),
    *("Opened", "Last change", "First response", "Solved", "Closed", "Due date", "SLA due"),
)
"""What stands above the columns of saved tickets, before their custom fields."""

PROMISE: Mapping[str, str] = {
    Promise.LATE: "Late",
    Promise.SOON: "Due within the hour",
    Promise.RUNNING: "A clock runs",
    Promise.NONE: "No clock runs",
}

DUE_DATE: Mapping[str, str] = {
    DueDate.PAST: "Past",
    DueDate.NEAR: "Within a day",
    DueDate.SET: "Set",
    DueDate.NONE: "Not set",
}

WHOSE: Mapping[str, str] = {
    Whose.ME: "Whoever looks",
    Whose.NOBODY: "Nobody",
}

VIEW_ERRORS = (
    "views are shared with one's own teams",
    "only leads and admins share views with everybody",
    "only who made a view stops sharing it",
    "only who made a view, leads and admins may change it",
    "nobody keeps more than 50 views: remove one first",
    "there are 20 views for everybody already: remove one first",
    "a view has 10 conditions on fields at most",
    "a list of tickets does not know what changed",
    "a condition names a field and how it is compared",
)
"""What errors about views say for themselves."""

BULK_ERRORS = (
    "choose at least one ticket",
    "choose what is to be done",
    "this cannot be undone",
)
"""What errors about many tickets at once say for themselves."""
