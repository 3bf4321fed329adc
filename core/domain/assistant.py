"""What the desk asks the assistant and what the assistant may ask of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.content import Intent
from core.domain.ids import ArticleId, TurnId
from core.domain.knowledge import Finding
from core.domain.ticket import Priority


class HandoffReason(StrEnum):
    """Why a human is needed."""

    ASKED_FOR_HUMAN = "asked_for_human"
    NOT_HELPED = "not_helped"
    UNSURE_TWICE = "unsure_twice"
    OUT_OF_SCOPE = "out_of_scope_accepted"
    ANGRY = "angry"
    EMERGENCY = "emergency"
    SECURITY_INCIDENT = "security_incident"
    SELF_HARM = "self_harm"
    VIP = "vip"  # not sure, and the requester is not one to be kept waiting for a second try
    LOOP = "loop"
    ANSWER_LIMIT = "answer_limit"  # had all machine-made messages that one person gets for now
    PROBLEM_REPORTED = "problem_reported"
    REQUEST_FILED = "request_filed"
    KNOWLEDGE_UNAVAILABLE = "knowledge_unavailable"
    ASSISTANT_UNAVAILABLE = "assistant_unavailable"
    AGENT_TOOK_OVER = "agent_took_over"
    FOLLOW_UP = "follow_up"
    ALERT = "alert"  # a program reported it
    REGISTERED = "registered"  # an agent wrote down what somebody asked for elsewhere
    RECURRING = "recurring"  # a problem, opened for many tickets about the same
    OTHER_LANGUAGE = "other_language"  # one that the assistant does not speak
    NOT_SPAM = "not_spam"  # an agent brought it back from the spam
    IN_DOUBT = "in_doubt"  # nobody knows whether the assistant's answer has arrived
    NOT_DELIVERED = "not_delivered"  # the assistant's answer never arrives
    UNVERIFIED_AUTHOR = "unverified_author"  # may not be who they say; the assistant stays out


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketBrief:
    """What the assistant may tell a requester about a ticket of theirs."""

    number: int
    status: str
    subject: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """Everything the assistant needs for one turn; the same `turn` is the same request."""

    turn: TurnId
    sender: str  # "<conversation>:<episode>"
    text: str
    intent: Intent | None = None  # of a pressed button
    language: str
    tickets: tuple[TicketBrief, ...] = ()
    is_shared: bool = False  # others read the answer: `tickets` are those of this place alone
    summary: str | None = None  # what happened in the episode before
    requester_name: str | None = None  # of whoever wrote
    is_vip: bool = False  # no second try where the assistant is not sure
    channel: str
    is_by_letter: bool = False  # each question more is a letter more


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedChoice:
    """A button the assistant wants under its message."""

    label: str
    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say `text`."""

    text: str
    choices: tuple[OfferedChoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Show an article as the answer and ask whether it helped."""

    article: ArticleId
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Let the requester choose among up to three articles."""

    articles: tuple[ArticleId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Queue the conversation for a human."""

    reason: HandoffReason
    priority: Priority = Priority.NORMAL
    summary: str = ""


class TicketKind(StrEnum):
    """What a requester filed."""

    INCIDENT = "incident"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """File what the form collected and queue it for a human."""

    kind: TicketKind
    subject: str
    description: str
    urgency: Priority = Priority.NORMAL
    since: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)  # details by name, for the agent
    item: str | None = None  # of the request catalogue
    values: Mapping[str, str] = field(default_factory=dict)  # of that item's form, by field id


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToTicket:
    """Leave what the requester adds with a ticket of theirs that the assistant was told of."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLanguage:
    """The requester chose a language; keep it."""

    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The conversation has come to its end."""

    reason: str


Step = Say | Answer | Offer | Handoff | OpenTicket | AddToTicket | SetLanguage | Close


class Feedback(StrEnum):
    """What a requester says about what they were shown."""

    HELPED = "helped"
    NOT_HELPED = "not_helped"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentGuess:
    """An intent that a message may have, 0 to 1."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Something that a message names: a device, a place, …"""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """A question that was put to the knowledge base, and what it found."""

    question: str  # what was searched for: a follow-up comes with the question before it
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What the assistant made of a message, for people who improve it: nothing follows from it."""

    guesses: tuple[IntentGuess, ...] = ()  # the likeliest first
    mentions: tuple[Mention, ...] = ()
    look_ups: tuple[LookUp, ...] = ()
    is_in_form: bool = False
    feedback: Feedback | None = None  # on what was shown before


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReply:
    """What the assistant said and wants done, in order."""

    turn: TurnId
    steps: tuple[Step, ...]
    intent: str | None
    confidence: float | None
    model: str | None
    ignored: tuple[str, ...] = ()  # commands the desk does not know
    understanding: Understanding = field(default_factory=Understanding)
