"""Who has a conversation open in the console right now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base


class Visit(Base):
    """An agent looks at a conversation; over when it was not renewed for a while.

    Not logged: it is worth nothing after a crash, and is written every few seconds.
    """

    __tablename__ = "visit"
    __table_args__ = (Index("ix_visit_seen_at", "seen_at"), {"prefixes": ["UNLOGGED"]})

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime]
    typing: Mapped[str | None]  # "reply" or "note"
    typed_at: Mapped[datetime | None]
