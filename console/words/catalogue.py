"""What the catalogue's stages, occasions and changes are called; English keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.domain.catalogue import Occasion, Stage, TaskState
from core.storage.queries.tickets.tickets import Change

STAGE: Mapping[str, str] = {
    Stage.APPROVAL: "Waits for approval",
    Stage.WORK: "Being worked on",
    Stage.DONE: "Done",
    Stage.REJECTED: "Rejected",
    Stage.WITHDRAWN: "Not needed any more",
}

STAGE_CHIP: Mapping[str, str] = {
    Stage.APPROVAL: "status-pending",
    Stage.WORK: "status-open",
    Stage.DONE: "up",
    Stage.REJECTED: "down",
    Stage.WITHDRAWN: "",
}
"""How a stage's chip looks."""

TASK: Mapping[str, str] = {
    TaskState.WAITING: "Comes later",
    TaskState.OPEN: "To do now",
    TaskState.DONE: "Done",
}

OCCASION: Mapping[str, str] = {
    Occasion.RECEIVED: "When it was asked for",
    Occasion.APPROVED: "When it is approved",
    Occasion.REJECTED: "When it is rejected",
    Occasion.DONE: "When it is done",
}

CATALOGUE_ERRORS = (
    "there is no such item",
    "there is no such approval role",
    "there is no such task",
    "there is an item of this name already",
    "there is a role of this name already",
    "a form has 30 fields at most",
    "an item has 20 tasks at most",
    "an icon is one sign, such as an emoji",
    "a task is a team's or an agent's, not both",
    "name all choices in a language, in their order, or none",
    "a text of the catalogue has 2,000 characters at most",
    "a role needs somebody who approves",
    "a role has 50 people at most",
    "this role is needed: items or requests have it",
    "this requester has never written: nobody could be told",
    "the latest conversation with this requester has an open ticket",
    "this item cannot be asked for any more",
    "this item asks for no such field",
    "this ticket is a request for an item already",
    "this ticket asks for nothing of the catalogue",
    "this request is not being worked on",
    "this task is done already",
    "a task before this one is still open",
    "only those who were asked may decide on this request",
    "you are not asked to approve this any more",
    "this was asked too long ago: ask for a new link",
    "this link was not made here",
    "there is nothing to decide behind this link any more",
    "approve or reject",
    "the desk does not speak this language",
)
"""What errors say for themselves that somebody may come to see."""


def requested_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return a change of a request as a sentence; None where it is no such change."""
    match change.field, change.new:
        case "request", Stage.APPROVAL | Stage.WORK if change.old is None:
            return t("{who} asked for: {item}", who=who, item=change.reason or "?")
        case "request", Stage.WORK:
            return t("{who} approved the request", who=change.reason or who)
        case "request", Stage.REJECTED:
            return t("{who} rejected the request", who=change.reason or who)
        case "request", Stage.DONE:
            return t("The request is done")
        case "request", _:
            return t("The request is not needed any more")
        case "task", TaskState.OPEN:
            return t("A task can begin: {task}", task=change.reason or "?")
        case "task", _:
            return t("{who} did the task: {task}", who=who, task=change.reason or "?")
        case "approval", _:
            return t("{who} asked again for an approval", who=who)
    return None
