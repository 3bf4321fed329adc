"""Tickets that agents made one, with what it takes to part them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class TicketMerge(Base):
    """One merge: the merged ticket's conversation is read, and answered, in the kept ticket.

    Its messages stay where they are; the conversation only says whose ticket they belong to.
    """

    __tablename__ = "ticket_merge"
    __table_args__ = (
        Index(
            "uq_ticket_merge_open",
            "merged_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_ticket_merge_kept", "kept_id"),
        Index("ix_ticket_merge_conversation", "conversation_id"),
    )

    id: Mapped[Key]
    kept_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"))  # the merged one's
    was: Mapped[dict[str, Any]]  # {status,responder,closed_at} of the merged one
    link_id: Mapped[UUID | None]  # of the link that was made with it
    by: Mapped[str]  # as in `ticket_event`
    at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # when the requester wrote after the kept one had ended
    last_seq: Mapped[int | None]  # of the conversation's messages that still belong to it then
