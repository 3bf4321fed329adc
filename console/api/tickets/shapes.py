"""The JSON of tickets: what callers ask of them, and how they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from console.api.shapes import (
    Address,
    Body,
    NamedOut,
    PersonOut,
    Text,
)
from core.domain.content import MAX_TEXT_CHARS, Envelope
from core.domain.ids import Address as MailAddress
from core.domain.ticket import CameBy, ClosedAs, Priority, TicketStatus
from core.services.conversations.letters import MAX_SUBJECT_CHARS, MOST_ADDRESSES
from core.storage.queries.tickets.tickets import TicketView


class Reply(Body):
    """What to say or to note, and files that were handed in before; one of the two at least."""

    text: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)] = ""
    files: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(max_length=20)] = Field(
        default_factory=list
    )


class EnvelopeBody(Body):
    """Between whom a letter goes; a subject that is null is the usual one."""

    to: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    cc: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    bcc: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    subject: Annotated[Text, Field(max_length=MAX_SUBJECT_CHARS)] | None = None

    def envelope(self) -> Envelope:
        """Return it as the desk knows it, unchecked."""
        return Envelope(
            to=tuple(MailAddress(address) for address in self.to),
            cc=tuple(MailAddress(address) for address in self.cc),
            bcc=tuple(MailAddress(address) for address in self.bcc),
            subject=self.subject,
        )


class Letter(Reply):
    """An answer; where letters go, `envelope` says between whom, else the account's rule does."""

    envelope: EnvelopeBody | None = None
    conversations: Annotated[
        list[Annotated[UUID, Field(strict=False)]],
        Field(max_length=50, description="Where to say it, if others were merged into the ticket."),
    ] = Field(default_factory=list)


class NewStatus(Body):
    """The status to set."""

    status: Literal["open", "pending", "on_hold", "solved", "closed"]
    solve_incidents: bool = Field(
        default=False, description="Of a problem that is solved: solve its open incidents too."
    )


class Escalation(Body):
    """Where a ticket goes on to, and why: `next`, `lead`, or a team's id or name."""

    to: Annotated[Text, Field(max_length=100)] = "next"
    reason: Annotated[Text, Field(max_length=1_000)]


class NewAssignee(Body):
    """Who gets a ticket: an agent's id or e-mail address, or null to put it back in the queue."""

    agent: Annotated[Text, Field(max_length=254)] | None


class TicketOut(BaseModel):
    """A ticket."""

    id: UUID
    number: int
    kind: str
    status: TicketStatus
    subject: str
    priority: Priority
    reason: str
    assignee: PersonOut | None
    requester: PersonOut
    conversation_id: UUID
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    closed_as: ClosedAs | None  # what it is besides closed
    summary: str
    language: str
    confidence: float | None
    follows: int | None  # the number of the closed ticket this one goes on from
    followed_by: list[int]  # numbers of those that go on from this one, once it is closed
    team: NamedOut | None
    level: int  # of support, 1 to 3
    category: NamedOut | None
    organisation: NamedOut | None
    impact: str | None
    urgency: str | None
    priority_is_set: bool  # by hand; impact and urgency leave it alone
    fields: dict[str, Any]  # by key; what the category asks for
    tags: list[str]
    came_by: CameBy | None  # how somebody asked, where it was registered for them
    due_at: datetime | None  # set by hand
    asset: UUID | None  # that it is about
    sla_due_at: datetime | None  # of the running clock that is due first
    sla_due_kind: str | None
    sla_breached_at: datetime | None  # of the first of its running clocks that ran out

    @classmethod
    def of(cls, ticket: TicketView) -> TicketOut:
        """Return what the API tells of `ticket`."""
        return cls(
            id=ticket.id,
            number=ticket.number,
            kind=ticket.kind,
            status=ticket.status,
            subject=ticket.subject,
            priority=ticket.priority,
            reason=ticket.reason,
            assignee=None if ticket.assignee is None else PersonOut.of(ticket.assignee),
            requester=PersonOut.of(ticket.requester),
            conversation_id=ticket.conversation,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
            first_response_at=ticket.first_response_at,
            solved_at=ticket.solved_at,
            closed_at=ticket.closed_at,
            closed_as=ticket.closed_as,
            summary=ticket.summary,
            language=ticket.language,
            confidence=ticket.confidence,
            follows=ticket.follows,
            followed_by=list(ticket.followed_by),
            team=NamedOut.of(ticket.team),
            level=ticket.level,
            category=NamedOut.of(ticket.category),
            organisation=NamedOut.of(ticket.organisation),
            impact=ticket.impact,
            urgency=ticket.urgency,
            priority_is_set=ticket.is_priority_set,
            fields=dict(ticket.fields),
            tags=list(ticket.tags),
            came_by=ticket.came_by,
            due_at=ticket.due_at,
            asset=ticket.asset,
            sla_due_at=ticket.sla_due_at,
            sla_due_kind=ticket.sla_due_kind,
            sla_breached_at=ticket.sla_breached_at,
        )
