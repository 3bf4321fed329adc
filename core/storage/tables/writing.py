"""What agents have written and not sent yet: drafts, and replies that can still be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class HeldReply(Base):
    """A reply that an agent sent and may still take back.

    It leaves when `due_at` is past, and the row with it. One that cannot be sent any more stays,
    with the reason.
    """

    __tablename__ = "held_reply"
    __table_args__ = (
        Index("ix_held_reply_due", "due_at", postgresql_where=sql("refused_at IS NULL")),
        Index("ix_held_reply_ticket_id", "ticket_id"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id"))
    text: Mapped[str]
    files: Mapped[list[Any]]  # ids of uploads, in order
    envelope: Mapped[dict[str, Any] | None]
    then: Mapped[str | None]  # the ticket's status after it
    macro_id: Mapped[UUID | None]
    places: Mapped[list[Any]] = mapped_column(  # ids of the conversations it is said in, if chosen
        server_default=sql("'[]'")
    )
    created_at: Mapped[CreatedAt]
    due_at: Mapped[datetime]
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str | None]


class Draft(Base):
    """What an agent has typed in a conversation; replies and notes apart."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_updated_at", "updated_at"),)

    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)  # "reply" or "note"
    text: Mapped[str]
    files: Mapped[list[Any]]  # ids of uploads, in order
    envelope: Mapped[dict[str, Any] | None]
    seen_seq: Mapped[int | None]  # the conversation's last message when it was begun
    updated_at: Mapped[CreatedAt]
