"""The history of a ticket in sentences."""

from __future__ import annotations

from console.times import Times
from console.words.catalogue import requested_in_words
from console.words.classification import sorted_in_words
from console.words.links import linked_in_words
from console.words.merging import merged_in_words
from console.words.spam import spam_in_words
from console.words.splitting import split_in_words
from console.words.states import ACTOR, CLOCK, PRIORITY, REASON, STATUS, Translate, label
from console.words.teams import passed_in_words
from core.storage.queries.tickets.tickets import Change


def change_in_words(change: Change, t: Translate, times: Times) -> str:
    """Return one entry of a ticket's history as a sentence, with moments by the reader's clock."""
    who = who_in_words(change.actor, change.actor_name, t)
    if change.by_program:
        who = t("{who} (API)", who=who)
    match change.field:
        case "status" if change.old is None:
            return t("{who} opened the ticket", who=who)
        case "status" if said := spam_in_words(change, who, t):
            return said
        case "status" if change.actor == "platform" and change.reason == "in_doubt":
            return t("It was opened again: a message may not have arrived")
        case "status" if change.actor == "platform":
            return t("It was opened again: a message was not delivered")
        case "status":
            return t("{who} set it to: {status}", who=who, status=label(STATUS, change.new, t))
        case "assignee" if said := passed_in_words(change, who, t):
            return said
        case "assignee" if change.new is None:
            return t("{who} put it back in the queue", who=who)
        case "assignee" if change.actor == f"agent:{change.new}":
            return t("{who} took it", who=who)
        case "assignee":
            return t("{who} gave it to {name}", who=who, name=change.new_name or "?")
        case "priority":
            priority = label(PRIORITY, change.new, t)
            return t("{who} changed the priority to: {priority}", who=who, priority=priority)
        case "reason":
            return t("{who} noted: {reason}", who=who, reason=label(REASON, change.new, t))
        case "sla_warning":
            kind = label(CLOCK, change.new, t)
            return t("An SLA is about to be breached: {kind}", kind=kind)
        case "sla_breach":
            return t("An SLA was breached: {kind}", kind=label(CLOCK, change.new, t))
        case "reminder":
            return t("The requester was reminded")
        case "satisfaction":
            return t("{who} was asked and gave {score} of 5", who=who, score=change.new)
        case "side":
            return t("{who} wrote to {name} beside it", who=who, name=change.new or "?")
        case "side_lost" if change.reason == "in_doubt":
            return t("A letter to {name} beside it may not have arrived", name=change.new or "?")
        case "side_lost":
            return t("A letter to {name} beside it was not delivered", name=change.new or "?")
        case "link_code":
            return t("{who} had a code mailed to {name}", who=who, name=change.new or "?")
        case "requester":
            return t("{who} made {name} the requester", who=who, name=change.new or "?")
        case _ if said := passed_in_words(change, who, t):
            return said
        case _ if said := sorted_in_words(change, who, t, times):
            return said
        case _ if said := linked_in_words(change, who, t):
            return said
        case _ if said := requested_in_words(change, who, t):
            return said
        case _ if said := split_in_words(change, who, t):
            return said
        case _ if said := merged_in_words(change, who, t):
            return said
        case field:
            return t("{who} changed {field}", who=who, field=field)


def who_in_words(actor: str, name: str | None, t: Translate) -> str:
    """Return who did something, by what histories and the audit log know them by."""
    kind, _, named = actor.partition(":")
    match kind:
        case "rule":
            return t("The rule “{name}”", name=name) if name else t("A rule that was removed")
        case "hook":
            return t("The webhook “{name}”", name=name) if name else t("A webhook that was removed")
        case "approver" | "contact" if named:
            return name or named
    return name or label(ACTOR, actor, t)
