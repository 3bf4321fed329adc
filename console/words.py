"""What the desk's states, reasons and changes are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.automation_words import FIELD as CONDITION_FIELD
from console.catalogue_words import CATALOGUE_ERRORS, STAGE, requested_in_words
from console.classification_words import sorted_in_words
from console.links_words import linked_in_words
from console.merging_words import merged_in_words
from console.spam_words import spam_in_words
from console.splitting_words import SPLIT_ERRORS, split_in_words
from console.team_words import passed_in_words
from core.domain.actor import Role
from core.domain.assistant import HandoffReason
from core.domain.automation.conditions import WrongCondition
from core.domain.catalogue import AnswersMissing, DecidedAlready
from core.domain.channel import DeliveryState, RecipientOutcome
from core.domain.classification import FieldsMissing, WrongField
from core.domain.content import Caution
from core.domain.conversation import Responder
from core.domain.errors import (
    DeskError,
    IllegalTransition,
    NotFound,
    ScannerUnavailable,
    StorageUnavailable,
    TooManyAttempts,
    WrongAddress,
    WrongName,
)
from core.domain.files import FileRefusal, refusal_of
from core.domain.knowledge import Outcome
from core.domain.sla.policy import ClockKind
from core.domain.ticket import CameBy, Priority, TicketStatus
from core.storage.queries.tickets import Change

Translate = Callable[..., str]

STATUS: Mapping[str, str] = {
    TicketStatus.NEW: "New",
    TicketStatus.OPEN: "Open",
    TicketStatus.PENDING: "Pending",
    TicketStatus.ON_HOLD: "On hold",
    TicketStatus.SOLVED: "Solved",
    TicketStatus.CLOSED: "Closed",
}

STATUS_HINT: Mapping[str, str] = {
    TicketStatus.OPEN: "Somebody here is working on it",
    TicketStatus.PENDING: "Waits for the requester",
    TicketStatus.ON_HOLD: "Waits for somebody else",
    TicketStatus.SOLVED: "Done; an answer opens it again",
    TicketStatus.CLOSED: "Done for good; an answer begins a new ticket",
}
"""What each status that an agent can set means."""

PRIORITY: Mapping[str, str] = {
    Priority.LOW: "Low",
    Priority.NORMAL: "Normal",
    Priority.HIGH: "High",
    Priority.URGENT: "Urgent",
}

REASON: Mapping[str, str] = {
    HandoffReason.ASKED_FOR_HUMAN: "Asked for a person",
    HandoffReason.NOT_HELPED: "The answers did not help",
    HandoffReason.UNSURE_TWICE: "The assistant was not sure, twice",
    HandoffReason.OUT_OF_SCOPE: "Outside what the assistant knows",
    HandoffReason.ANGRY: "The requester is upset",
    HandoffReason.EMERGENCY: "Emergency",
    HandoffReason.SECURITY_INCIDENT: "Security incident",
    HandoffReason.SELF_HARM: "Somebody may be in danger",
    HandoffReason.VIP: "Important requester, and the assistant was not sure",
    HandoffReason.LOOP: "The conversation went in circles",
    HandoffReason.PROBLEM_REPORTED: "Problem report",
    HandoffReason.REQUEST_FILED: "Request",
    HandoffReason.KNOWLEDGE_UNAVAILABLE: "The knowledge base could not be reached",
    HandoffReason.ASSISTANT_UNAVAILABLE: "The assistant was unavailable",
    HandoffReason.AGENT_TOOK_OVER: "Taken over from the assistant",
    HandoffReason.FOLLOW_UP: "Follow-up of a closed ticket",
    HandoffReason.ALERT: "A program reported it",
    HandoffReason.REGISTERED: "Registered by an agent",
    HandoffReason.RECURRING: "Many tickets about the same",
    HandoffReason.OTHER_LANGUAGE: "Writes in another language",
    HandoffReason.NOT_SPAM: "Was taken for spam",
    HandoffReason.UNVERIFIED_AUTHOR: "The author may not be who they say",
}

CAME_BY: Mapping[str, str] = {
    CameBy.PHONE: "Phone",
    CameBy.WALK_IN: "In person",
    CameBy.POST: "Letter on paper",
    CameBy.ELSEWHERE: "Elsewhere",
}
"""How somebody asked for what an agent registered for them."""

RESPONDER: Mapping[str, str] = {
    Responder.BOT: "The assistant is answering",
    Responder.QUEUED: "Waits for an agent",
    Responder.HUMAN: "An agent is answering",
    Responder.CLOSED: "Ended",
}

DELIVERY: Mapping[str, str] = {
    DeliveryState.WAITING: "Waiting to be sent",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.FAILED: "Not delivered",
    DeliveryState.PARKED: "May not have arrived",
    DeliveryState.DROPPED: "Held back: an agent took over first",
}
"""States worth showing; a message that was sent needs no words."""

RECIPIENT: Mapping[str, str] = {
    RecipientOutcome.DELIVERED: "arrived",
    RecipientOutcome.SOFT: "came back for now",
    RecipientOutcome.HARD: "came back for good",
}
"""What was heard of a letter for one of those it went to."""

CHANNEL: Mapping[str, str] = {
    "webchat": "Web chat",
    "slack": "Slack",
    "telegram": "Telegram",
    "email": "E-mail",
    "loopback": "Rehearsal",
    "programs": "Programs",
    "in_person": "Phone or in person",
}
"""Kinds of channels; one that is not here is called by its own name."""

CHANNEL_MARK: Mapping[str, str] = {
    "webchat": "W",
    "slack": "#",
    "telegram": "T",
    "email": "@",
    "loopback": "R",
    "programs": "!",
    "in_person": "☏",
}
"""One sign for each, where there is little room."""

CAUTION: Mapping[str, str] = {
    Caution.UNVERIFIED: "Sender not verified",
    Caution.STRANGER: "Not a participant",
    Caution.CLAIMS_AGENT: "Claims to be one of us",
}

CAUTION_MEANS: Mapping[str, str] = {
    Caution.UNVERIFIED: "Nobody vouches for the address this names. Give no account data.",
    Caution.STRANGER: "The author had no part in this conversation before.",
    Caution.CLAIMS_AGENT: "It came from outside, and names an agent or the desk as its author.",
}

FILE_REFUSED: Mapping[str, str] = {
    FileRefusal.EMPTY: "Refused: it is empty",
    FileRefusal.TOO_LARGE: "Refused: too large",
    FileRefusal.DISGUISED: "Refused: it is not what its name says",
    FileRefusal.EXECUTABLE: "Refused: a program or a script",
    FileRefusal.ARCHIVE_BOMB: "Refused: it unpacks to far too much",
    FileRefusal.DAMAGED_ARCHIVE: "Refused: the archive is damaged",
    FileRefusal.ACTIVE_PICTURE: "Refused: a picture with scripts or links",
    FileRefusal.HUGE_PICTURE: "Refused: far too many pixels",
    FileRefusal.INFECTED: "Refused: a virus",
}
"""Why the desk did not keep a file."""

ACTOR: Mapping[str, str] = {
    "reactor:routing": "A routing rule",
    "reactor:assignment": "The desk",
    "reactor:wanting": "The desk",
    "reactor:catalogue": "The desk",
    "command": "The command line",
    "requester": "The requester",
    "assistant": "The assistant",
    "timer": "The desk",
    "platform": "The platform",
    "third_party": "The third party",
}
"""Who changes tickets besides agents, who have names."""

CLOCK: Mapping[str, str] = {
    ClockKind.FIRST_RESPONSE: "First response",
    ClockKind.NEXT_RESPONSE: "Next response",
    ClockKind.RESOLUTION: "Solution",
}
"""What is promised within a time."""

AUDIENCE: Mapping[str, str] = {"public": "Public", "internal": "Agents only"}
ROLE: Mapping[str, str] = {
    Role.AGENT: "Agent",
    Role.LEAD: "Lead",
    Role.ADMIN: "Admin",
    Role.AUDITOR: "Auditor",
}
ROLE_MEANS: Mapping[str, str] = {
    Role.AGENT: "Answers requesters",
    Role.LEAD: "Also looks after teams, rules and figures",
    Role.ADMIN: "May change everything",
    Role.AUDITOR: "Reads everything, changes nothing",
}
OUTCOME: Mapping[str, str] = {
    Outcome.ANSWER: "answers with the first",
    Outcome.OFFER: "offers a choice",
    Outcome.HAND_OFF: "not sure: calls a person",
}
COMPONENT: Mapping[str, str] = {
    "database": "Database",
    "worker": "Worker",
    "assistant": "Assistant",
}

ERRORS = (
    "the text is empty",
    "the text may have 20,000 characters at most",
    "there is no such status",
    "a ticket cannot be set to new",
    "please sign in",
    "the e-mail address or the password is wrong",
    "this link has been used or is too old",
    "the two passwords are not the same",
    "a password has 10 characters at least",
    "a password has 512 characters at most",
    "there is an agent with this e-mail address already",
    "this is not an e-mail address",
    "a name has 100 characters at most",
    "an agent's role is agent, lead, admin or auditor",
    "only leads and admins may do this",
    "only leads, admins and auditors may see this",
    "only admins and auditors may do this",
    "there is nothing here that you may set",
    "auditors change nothing",
    "you cannot disable your own account",
    "there is an article with this id already",
    "an article needs a title",
    "an article's validity ends before it begins",
    "an article is not a translation of itself",
    "an article's language is a code such as en or es",
    "a date is written as 2030-12-31",
    "only admins may do this",
    "this page is too old: load it again",
    "this request comes from another site",
    "this form takes no files",
    "only what agents said can be changed",
    "another agent said this",
    "somebody writes a reply or a note",
    "this reply has been sent already",
    "the ticket was closed before the reply left",
    "a reply can be taken back for 0 to 30 seconds",
    "this message was taken back already",
    "this message reached nobody: write a new one",
    "say first whether this message arrived",
    "this channel cannot change what was sent",
    "this channel cannot take back what was sent",
    "the file is too large",
    "a picture may have 512 KB at most",
    "a picture is a PNG, JPEG, GIF or WebP file",
    "the file is empty",
    "the file is not what its name says",
    "programs and scripts cannot be sent",
    "the archive unpacks to far too much",
    "the archive is damaged",
    "the picture holds scripts or loads from elsewhere",
    "the picture has too many pixels",
    "the file holds a virus",
    "a file is not there any more: attach it again",
    "this channel takes no files",
    "a message has 20 files at most",
    "these are more files than the channel takes in one message",
    "a file is larger than the channel takes",
    "a letter goes to 50 addresses at most",
    "a letter needs somebody to go to",
    "a subject has 250 characters at most",
    "this channel has no letters",
    "there is no such conversation",
    "there is no such message",
    "the payload of this message was not kept",
    "this is the requester: answer them instead",
    "this was changed meanwhile: load it again",
    "something went wrong on our side",
)
"""What errors say for themselves that an agent may come to see."""


def change_in_words(change: Change, t: Translate) -> str:
    """Return one entry of a ticket's history as a sentence."""
    who = _who(change, t)
    match change.field:
        case "status" if change.old is None:
            return t("{who} opened the ticket", who=who)
        case "status" if said := spam_in_words(change, who, t):
            return said
        case "status":
            return t("{who} set it to: {status}", who=who, status=_label(STATUS, change.new, t))
        case "assignee" if said := passed_in_words(change, who, t):
            return said
        case "assignee" if change.new is None:
            return t("{who} put it back in the queue", who=who)
        case "assignee" if change.actor == f"agent:{change.new}":
            return t("{who} took it", who=who)
        case "assignee":
            return t("{who} gave it to {name}", who=who, name=change.new_name or "?")
        case "priority":
            priority = _label(PRIORITY, change.new, t)
            return t("{who} changed the priority to: {priority}", who=who, priority=priority)
        case "reason":
            return t("{who} noted: {reason}", who=who, reason=_label(REASON, change.new, t))
        case "sla_warning":
            return t("A promise runs out soon: {promise}", promise=_label(CLOCK, change.new, t))
        case "sla_breach":
            return t("A promise was not kept: {promise}", promise=_label(CLOCK, change.new, t))
        case "reminder":
            return t("The requester was reminded")
        case "satisfaction":
            return t("{who} was asked and gave {score} of 5", who=who, score=change.new)
        case "side":
            return t("{who} wrote to {name} beside it", who=who, name=change.new or "?")
        case "link_code":
            return t("{who} had a code mailed to {name}", who=who, name=change.new or "?")
        case "requester":
            return t("{who} made {name} the requester", who=who, name=change.new or "?")
        case _ if said := passed_in_words(change, who, t):
            return said
        case _ if said := sorted_in_words(change, who, t):
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


def _who(change: Change, t: Translate) -> str:
    kind, _, named = change.actor.partition(":")
    match kind:
        case "rule":
            name = change.actor_name
            return t("The rule “{name}”", name=name) if name else t("A rule that was removed")
        case "hook":
            name = change.actor_name
            return t("The webhook “{name}”", name=name) if name else t("A webhook that was removed")
        case "approver":
            return named
    return change.actor_name or _label(ACTOR, change.actor, t)


def error_in_words(error: DeskError, t: Translate) -> str:
    """Return what to tell an agent about an error."""
    match error:
        case IllegalTransition(record="ticket"):
            status = _label(STATUS, error.state, t)
            return t("This does not fit a ticket with the status: {status}", status=status)
        case IllegalTransition(record="model"):
            return t("This version is in another state by now. Look again.")
        case IllegalTransition():
            return t("The conversation is in another state by now. Look again.")
        case WrongCondition():
            return t(error.sentence, field=_label(CONDITION_FIELD, error.field, t))
        case WrongName():
            said = t(error.sentence, name=error.name)
            return said[:1].upper() + said[1:]
        case WrongField():
            return t("This is no value for “{field}”.", field=error.spec.label)
        case FieldsMissing():
            names = ", ".join(spec.label for spec in error.specs)
            return t("Fill in before solving: {names}", names=names)
        case AnswersMissing():
            names = ", ".join(spec.label for spec in error.specs)
            return t("The request needs: {names}", names=names)
        case DecidedAlready():
            stage = _label(STAGE, error.stage, t)
            return t("This is decided already ({who}): {stage}", who=error.who or "-", stage=stage)
        case StorageUnavailable():
            return t("The desk cannot reach its database. Try again shortly.")
        case ScannerUnavailable():
            return t("Files cannot be checked for viruses right now. Try again shortly.")
        case NotFound() if str(error) in (*ERRORS, *CATALOGUE_ERRORS, *SPLIT_ERRORS):
            said = t(str(error))
            return said[:1].upper() + said[1:]
        case NotFound():
            return t("There is nothing here (any more).")
        case WrongAddress():
            return t("No letter can go to “{word}”: it is not an address.", word=error.word)
        case TooManyAttempts():
            seconds = max(1, round(error.retry_after))
            return t("Too many attempts. Try again in {seconds} s.", seconds=seconds)
        case _:
            said = t(str(error))
            return said[:1].upper() + said[1:]


def channel_in_words(kind: str | None, t: Translate) -> str:
    """Return what a kind of channel is called."""
    return _label(CHANNEL, kind, t) if kind in CHANNEL else (kind or "?").title()


def refusal_in_words(stored: str | None, t: Translate) -> str:
    """Return why a file was refused, from what is kept of it."""
    refused = refusal_of(stored or "")
    said = t(FILE_REFUSED[refused.reason])
    return f"{said} ({refused.detail})" if refused.detail else said


def _label(labels: Mapping[str, str], value: str | None, t: Translate) -> str:
    return t(labels.get(value or "", value or "?"))
