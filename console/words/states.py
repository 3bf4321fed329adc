"""What the desk's states and reasons are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.domain.actor import Role
from core.domain.assistant import HandoffReason
from core.domain.channel import DeliveryState, HeldBack, RecipientOutcome, Shortfall
from core.domain.content import Caution
from core.domain.conversation import Responder
from core.domain.files import FileRefusal, refusal_of
from core.domain.knowledge import Outcome
from core.domain.sla.policy import ClockKind
from core.domain.ticket import CameBy, Priority, TicketStatus

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
    HandoffReason.ANSWER_LIMIT: "Had as many automatic messages as one gets for now",
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
    HandoffReason.IN_DOUBT: "An answer may not have arrived",
    HandoffReason.NOT_DELIVERED: "An answer was not delivered",
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
    DeliveryState.DROPPED: "Held back",
}
"""States worth showing; a message that was sent needs no words."""

HELD_BACK: Mapping[str, str] = {
    HeldBack.TAKEN_OVER: "Held back: an agent took over first",
    HeldBack.OVERTAKEN: "Held back: somebody had answered first",
    HeldBack.TOO_MANY: "Held back for a day, then given up: too many automatic messages to "
    "this person",
    HeldBack.REST: "Sent in part; the rest was held back",
}
"""Why a message, or the rest of it, never left."""

SENT_THOUGH: Mapping[str, str] = {
    HeldBack.REST: HELD_BACK[HeldBack.REST],
    Shortfall.CHANGE_IN_DOUBT: "The change may not have arrived whole: look in the chat how it "
    "ends",
}
"""What an agent has to know of a message that was sent."""

RECIPIENT: Mapping[str, str] = {
    RecipientOutcome.DELIVERED: "arrived",
    RecipientOutcome.SOFT: "came back for now",
    RecipientOutcome.HARD: "came back for good",
    RecipientOutcome.WAITING: "not taken yet",
    RecipientOutcome.REFUSED: "not taken",
    RecipientOutcome.DELAYED: "delayed",
}
"""What was heard of a letter for one of those it went to."""

NOT_TAKEN: Mapping[str, str] = {
    RecipientOutcome.WAITING: "Not taken yet for {address}, tried again: {reason}",
    RecipientOutcome.REFUSED: "Not taken for {address}: {reason}",
    RecipientOutcome.DELAYED: "Still on its way to {address}; the mail servers go on trying. "
    "{reason}",
}
"""The same in a sentence under the letter, with the server's reason."""

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
    "somebody": "Somebody",
    "assistant": "The assistant",
    "timer": "The desk",
    "platform": "The platform",
    "third_party": "The third party",
    "approver": "An approver",
}
"""Who changes tickets besides agents, who have names."""

CLOCK: Mapping[str, str] = {
    ClockKind.FIRST_RESPONSE: "First response",
    ClockKind.NEXT_RESPONSE: "Next response",
    ClockKind.RESOLUTION: "Resolution",
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


def channel_in_words(kind: str | None, t: Translate) -> str:
    """Return what a kind of channel is called."""
    return label(CHANNEL, kind, t) if kind in CHANNEL else (kind or "?").title()


def refusal_in_words(stored: str | None, t: Translate) -> str:
    """Return why a file was refused, from what is kept of it."""
    refused = refusal_of(stored or "")
    said = t(FILE_REFUSED[refused.reason])
    return f"{said} ({refused.detail})" if refused.detail else said


def label(labels: Mapping[str, str], value: str | None, t: Translate) -> str:
    """Return what `labels` call a value, which is shown itself where they do not know it."""
    return t(labels.get(value or "", value or "?"))
