"""What kinds of tickets, impacts, fields and changes of them are called; English keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from console.times import Times
from core.domain.classification import Extent, FieldKind, Kind
from core.storage.queries.tickets.tickets import Change

KIND: Mapping[str, str] = {
    Kind.INCIDENT: "Incident",
    Kind.REQUEST: "Request",
    Kind.QUESTION: "Question",
    Kind.PROBLEM: "Problem",
}

EXTENT: Mapping[str, str] = {
    Extent.LOW: "Low",
    Extent.MEDIUM: "Medium",
    Extent.HIGH: "High",
}

IMPACT_MEANS: Mapping[str, str] = {
    Extent.LOW: "one person",
    Extent.MEDIUM: "a group",
    Extent.HIGH: "everybody",
}

URGENCY_MEANS: Mapping[str, str] = {
    Extent.LOW: "can wait",
    Extent.MEDIUM: "hinders work",
    Extent.HIGH: "work has stopped",
}

FIELD_KIND: Mapping[str, str] = {
    FieldKind.TEXT: "Text",
    FieldKind.NUMBER: "Number",
    FieldKind.DATE: "Date",
    FieldKind.CHOICE: "Choice",
    FieldKind.YES_NO: "Yes or no",
}

CLASSIFICATION_ERRORS = (
    "a name is needed",
    "a name has 80 characters at most",
    "a category cannot stand below itself",
    "categories go five levels deep at most",
    "there is no such category",
    "there is no such team",
    "there is no such asset",
    "there is no such field",
    "there is no such agent",
    "there is a category of this name here already",
    "a category has 30 fields at most",
    "a choice needs something to choose from",
    "a field has 100 choices of 80 characters at most",
    "a tag has 40 characters at most",
    "a ticket has 30 tags at most",
    "this category asks for no such field",
    "each impact and urgency needs a priority",
    "a date and time is written as 2030-12-31T23:59",
)
"""What errors say for themselves that an agent may come to see."""


def sorted_in_words(change: Change, who: str, t: Callable[..., str], times: Times) -> str | None:
    """Return a change of what a ticket is as a sentence; None where it is no such change."""
    match change.field:
        case "kind":
            return t("{who} made it: {kind}", who=who, kind=t(KIND.get(change.new or "", "?")))
        case "category" if change.new is None:
            return t("{who} took it out of its category", who=who)
        case "category":
            return t("{who} put it under: {name}", who=who, name=change.new_name or "?")
        case "team" if change.new is None:
            return t("{who} took it from its team", who=who)
        case "team":
            return t("{who} assigned it to the team {name}", who=who, name=change.new_name or "?")
        case "asset" if change.new is None:
            return t("{who} took the asset off it", who=who)
        case "asset":
            return t("{who} said that it is about {name}", who=who, name=change.new_name or "?")
        case "impact":
            return t("{who} set the impact to: {extent}", who=who, extent=_extent(change.new, t))
        case "urgency":
            return t("{who} set the urgency to: {extent}", who=who, extent=_extent(change.new, t))
        case "tags":
            return t("{who} changed the tags to: {tags}", who=who, tags=change.new or t("none"))
        case "due" if change.new is not None:
            return t("{who} set the due date to: {date}", who=who, date=times.moment(change.new))
        case "due":
            return t("{who} took away the due date", who=who)
        case "due_soon" if change.new is not None:
            return t("Its due date comes near: {date}", date=times.moment(change.new))
        case "watcher" if change.new is None:
            name = change.old_name or "?"
            return t("{name} does not watch it any more ({who})", name=name, who=who)
        case "watcher":
            return t("{name} watches it ({who})", name=change.new_name or "?", who=who)
        case field if field.startswith("field:"):
            name = field.removeprefix("field:")
            value = {"true": t("Yes"), "false": t("No"), None: t("none")}.get(
                change.new, change.new
            )
            return t("{who} set “{field}” to: {value}", who=who, field=name, value=value)
    return None


def value_in_words(value: Any, t: Callable[..., str]) -> str:
    """Return a field's value as it is shown."""
    if isinstance(value, bool):
        return t("Yes") if value else t("No")
    return "" if value is None else str(value)


def _extent(value: str | None, t: Callable[..., str]) -> str:
    return t(EXTENT[value]) if value is not None and value in EXTENT else t("none")
