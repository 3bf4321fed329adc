"""Tickets and everything that ever happened to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key, Serial

ticket_number = Sequence("ticket_number", start=1001, metadata=Base.metadata)


class Ticket(Base):
    """A request that a human is responsible for."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index(
            "uq_ticket_unclosed",
            "conversation_id",
            unique=True,
            postgresql_where=text("status <> 'closed'"),
        ),
        Index("ix_ticket_queue", "status", "assignee_id"),
        Index("ix_ticket_contact", "contact_id", "id"),
        Index("ix_ticket_solved", "solved_at", postgresql_where=text("status = 'solved'")),
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
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    follows_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket.id"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    first_response_at: Mapped[datetime | None]
    solved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class TicketEvent(Base):
    """One change of a ticket; never changed itself."""

    __tablename__ = "ticket_event"

    id: Mapped[Serial]
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"), index=True)
    field: Mapped[str]  # "status", "assignee", "priority", …
    old: Mapped[str | None]
    new: Mapped[str | None]
    actor: Mapped[str]  # "agent:<id>", "requester", "assistant", "timer"
    reason: Mapped[str | None]
    at: Mapped[CreatedAt]
