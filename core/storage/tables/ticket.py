"""Tickets and everything that ever happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, Sequence, SmallInteger, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key, Serial

RANK_OF_PRIORITY = (
    "CASE ticket.priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 WHEN 'high' THEN 2"
    " WHEN 'urgent' THEN 3 ELSE 0 END"
)
"""What priorities are sorted by: `core.domain.ticket.RANK`, as an index has it."""

_RANK = f"({RANK_OF_PRIORITY.replace('ticket.', '')}) DESC"
_IS_LIVE = "status IN ('new', 'open', 'pending', 'on_hold')"
_IS_DONE = "status IN ('solved', 'closed')"

ticket_number = Sequence("ticket_number", start=1001, metadata=Base.metadata)


class Ticket(Base):
    """A request that a human is responsible for."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index(
            "ix_ticket_due_remind_at",
            "due_remind_at",
            postgresql_where=text("due_remind_at IS NOT NULL"),
        ),
        Index("ix_ticket_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "uq_ticket_unclosed",
            "conversation_id",
            unique=True,
            postgresql_where=text("status <> 'closed'"),
        ),
        Index("ix_ticket_queue", "status", "assignee_id"),
        Index("ix_ticket_team", "team_id", "status"),
        Index("ix_ticket_contact", "contact_id", "id"),
        Index(
            "ix_ticket_tags",
            "tags",
            postgresql_using="gin",
            postgresql_ops={"tags": "jsonb_path_ops"},
        ),
        Index("ix_ticket_follows", "follows_id", postgresql_where=text("follows_id IS NOT NULL")),
        Index("ix_ticket_solved", "solved_at", postgresql_where=text("status = 'solved'")),
        Index(
            "ix_ticket_urgency",
            text(_RANK),
            "sla_due_at",
            "created_at",
            "id",
            postgresql_where=text(_IS_LIVE),
        ),
        Index(
            "ix_ticket_unassigned",
            text(_RANK),
            "sla_due_at",
            "created_at",
            "id",
            postgresql_where=text(f"{_IS_LIVE} AND assignee_id IS NULL"),
        ),
        Index(
            "ix_ticket_due",
            "sla_due_at",
            "created_at",
            "id",
            postgresql_where=text("sla_due_at IS NOT NULL"),
        ),
        Index(
            "ix_ticket_live",
            "created_at",
            "id",
            postgresql_include=["category_id", "priority", "reason"],  # what waits is counted by
            postgresql_where=text(_IS_LIVE),
        ),
        Index("ix_ticket_done", "priority", "created_at", "id", postgresql_where=text(_IS_DONE)),
        Index("ix_ticket_created_at", "created_at", "id"),
        Index("ix_ticket_problem", "created_at", "id", postgresql_where=text("kind = 'problem'")),
        Index("ix_ticket_updated_at", "updated_at", "id"),
        Index("ix_ticket_document", "document", postgresql_using="gin"),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(
        BigInteger, ticket_number, server_default=ticket_number.next_value(), unique=True
    )
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"), index=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    kind: Mapped[str] = mapped_column(server_default="incident")
    status: Mapped[str]
    priority: Mapped[str]
    reason: Mapped[str]
    subject: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="")
    language: Mapped[str]
    confidence: Mapped[float | None]  # the assistant's, in its last understanding
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    level: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # of support, 1 to 3
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(  # the requester's, when it was opened
        ForeignKey("organisation.id"), index=True
    )
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"), index=True)
    impact: Mapped[str | None]  # with the urgency it makes the priority
    urgency: Mapped[str | None]
    is_priority_set: Mapped[bool] = mapped_column(  # by hand; impact and urgency leave it alone
        server_default=text("false")
    )
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    tags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    came_by: Mapped[str | None]  # how somebody asked, where an agent registered it for them
    due_at: Mapped[datetime | None]  # set by hand; what was promised is kept apart
    due_remind_at: Mapped[datetime | None]  # when its holder is to be reminded of that
    sla_due_at: Mapped[datetime | None]  # of the running clock that is due first
    sla_due_kind: Mapped[str | None]
    sla_breached_at: Mapped[datetime | None]  # the first of its running clocks to run out did then
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("asset.id"), index=True)
    follows_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket.id"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    first_response_at: Mapped[datetime | None]
    solved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_as: Mapped[str | None]  # where it is more than closed: `ClosedAs`
    document: Mapped[str | None] = mapped_column(  # what it is found by
        TSVECTOR,
        Computed(
            "setweight(search_document(language, subject), 'A')"
            " || setweight(search_document(language, summary), 'B')",
            persisted=True,
        ),
        deferred=True,
    )


class TicketEvent(Base):
    """One change of a ticket; never changed itself, but for whether the desk reacted to it.

    It is also an item of the conversation's `reactions` lane. A message is a change too: its
    `field` is "message", `new` its id and `reason` who spoke ("customer", "agent" or "note").
    """

    __tablename__ = "ticket_event"
    __table_args__ = (
        Index(
            "ix_ticket_event_due",
            "ticket_id",
            "id",
            postgresql_where=text("reacted_at IS NULL"),
        ),
    )

    id: Mapped[Serial]
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"), index=True)
    field: Mapped[str]  # "status", "assignee", "priority", …
    old: Mapped[str | None]
    new: Mapped[str | None]
    actor: Mapped[str]  # "agent:<id>", "requester", "assistant", "timer"
    reason: Mapped[str | None]
    at: Mapped[CreatedAt]
    depth: Mapped[int] = mapped_column(
        SmallInteger, server_default="0"
    )  # how many reactions led here
    by_program: Mapped[bool] = mapped_column(server_default=text("false"))  # with an API token
    reacted_at: Mapped[datetime | None]
