"""What requesters were asked about their satisfaction, and what they said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Satisfaction(Base):
    """One question about a solved ticket or a conversation of the assistant's, with the answer.

    Who solved it is kept as it was then, so that figures do not change when people move.
    """

    __tablename__ = "satisfaction"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index(
            "uq_satisfaction_open",
            "ticket_id",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'asked')"),
        ),
        CheckConstraint("num_nonnulls(ticket_id, conversation_id) = 1", name="subject"),
        Index(
            "ix_satisfaction_conversation_id",
            "conversation_id",
            postgresql_where=text("conversation_id IS NOT NULL"),
        ),
        Index(
            "uq_satisfaction_open_of_assistant",
            "conversation_id",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'asked')"),
        ),
        Index("ix_satisfaction_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_satisfaction_answered_at", "answered_at"),
        Index("ix_satisfaction_contact", "contact_id", "asked_at"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), index=True
    )
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE")
    )  # that the assistant finished alone
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"))
    channel: Mapped[str | None]
    status: Mapped[str]
    due_at: Mapped[datetime | None]  # when something is to be done: ask, remind, let it expire
    created_at: Mapped[CreatedAt]
    asked_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    score: Mapped[int | None] = mapped_column(SmallInteger)
    comment: Mapped[str] = mapped_column(server_default="")
    answered_at: Mapped[datetime | None]


class SurveyRule(Base):
    """The desk's one set of rules about asking; times in seconds."""

    __tablename__ = "survey_rule"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    is_on: Mapped[bool]
    delay: Mapped[int] = mapped_column(BigInteger)
    remind_after: Mapped[int | None] = mapped_column(BigInteger)
    lasts: Mapped[int] = mapped_column(BigInteger)
    quiet: Mapped[int] = mapped_column(BigInteger)
    low_score: Mapped[int] = mapped_column(SmallInteger)
    asks_of_assistant: Mapped[bool] = mapped_column(server_default=text("false"))
